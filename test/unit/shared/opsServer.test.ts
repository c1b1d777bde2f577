import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { findFreePort } from '../../../dev/postgres/ports';
import { createLogger } from '../../../src/shared/logger';
import { createMetrics } from '../../../src/shared/metrics';
import { OpsServer, type ReadinessCheck } from '../../../src/shared/opsServer';

const logger = createLogger({ name: 'test', level: 'silent' });

async function withServer(readiness: ReadinessCheck[], use: (url: string) => Promise<void>): Promise<void> {
  const port = await findFreePort();
  const server = new OpsServer({
    host: '127.0.0.1',
    port,
    portVariable: 'RELAY_PORT',
    metrics: createMetrics('test'),
    readiness,
    logger,
  });
  await server.start();
  try {
    await use(`http://127.0.0.1:${port}`);
  } finally {
    await server.stop();
  }
}

describe('the ops server', () => {
  it('is alive even when it is not ready, and says what is missing', async () => {
    const checks: ReadinessCheck[] = [
      { name: 'database', check: async () => ({ ok: true }) },
      { name: 'kafka', check: async () => ({ ok: false, detail: 'no broker answers' }) },
    ];
    await withServer(checks, async (url) => {
      expect((await fetch(`${url}/livez`)).status).toBe(200);
      const ready = await fetch(`${url}/readyz`);
      expect(ready.status).toBe(503);
      expect(await ready.json()).toEqual({
        ready: false,
        checks: { database: { ok: true }, kafka: { ok: false, detail: 'no broker answers' } },
      });
    });
  });

  it('counts a check that throws as not ready, without its message', async () => {
    const failing: ReadinessCheck = {
      name: 'database',
      check: () => Promise.reject(new Error('password=secret')),
    };
    await withServer([failing], async (url) => {
      const ready = await fetch(`${url}/readyz/`);
      expect(ready.status).toBe(503);
      expect(await ready.text()).not.toContain('secret');
    });
  });

  it('serves the metrics', async () => {
    await withServer([], async (url) => {
      expect(await (await fetch(`${url}/metrics`)).text()).toContain(
        'process_cpu_seconds_total{program="test"}',
      );
    });
  });

  it('names the port and the variable when the port is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const server = new OpsServer({
      host: '127.0.0.1',
      port,
      portVariable: 'RELAY_PORT',
      metrics: createMetrics('test'),
      readiness: [],
      logger,
    });
    await expect(server.start()).rejects.toThrow(
      `Port ${port} on 127.0.0.1 is taken by another program. Free it, or set RELAY_PORT to another port.`,
    );
    taken.close();
  });

  it('tolerates stop before start and a second stop', async () => {
    const server = new OpsServer({
      host: '127.0.0.1',
      port: await findFreePort(),
      portVariable: 'RELAY_PORT',
      metrics: createMetrics('test'),
      readiness: [],
      logger,
    });
    await server.stop();
    await server.start();
    await server.stop();
    await server.stop();
  });
});
