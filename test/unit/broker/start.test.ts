import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type DevBroker, startDevBroker } from '../../../dev/broker/broker';
import { captureLogger, silentLogger } from '../../support/logger';
import { connectRaw } from '../../integration/conformance/support/rawClient';
import { waitFor } from '../../support/waitFor';
import { temporaryDirectory } from './temporaryDirectory';

const directory = temporaryDirectory();
const running: DevBroker[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((broker) => broker.stop()));
});

async function start(options: Partial<Parameters<typeof startDevBroker>[0]> = {}): Promise<DevBroker> {
  const broker = await startDevBroker({ port: 0, dataDir: directory(), logger: silentLogger(), ...options });
  running.push(broker);
  return broker;
}

it('listens on a free port and says where', async () => {
  const broker = await start();
  expect(broker.address).toBe(`127.0.0.1:${broker.port}`);
  expect(broker.port).toBeGreaterThan(0);
});

it('is refused in production, in one line', async () => {
  const before = process.env['NODE_ENV'];
  process.env['NODE_ENV'] = 'production';
  try {
    await expect(start()).rejects.toThrow(/^The dev broker does not run with NODE_ENV=production.*$/);
  } finally {
    process.env['NODE_ENV'] = before;
  }
});

it('names the port when it is taken, and leaves the directory free', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await expect(start({ port })).rejects.toThrow(`Port ${port} on 127.0.0.1 is taken by another program`);
  server.close();
  await start();
});

it('is refused a directory that another broker uses, until that one has stopped', async () => {
  const first = await start();
  await expect(start()).rejects.toThrow(`Process ${process.pid} already runs a dev broker in ${directory()}`);
  await first.stop();
  await start();
});

it('takes over a directory whose owner has died', async () => {
  const dataDir = join(directory(), 'data');
  mkdirSync(dataDir);
  writeFileSync(join(dataDir, 'owner'), `${process.pid} some other start time`);
  await start({ dataDir });
});

it('can be stopped twice, and at once', async () => {
  const broker = await start();
  await Promise.all([broker.stop(), broker.stop()]);
  await broker.stop();
});

it('closes connections when it stops', async () => {
  const broker = await start();
  const client = await connectRaw(broker.address);
  await broker.stop();
  await client.closed;
});

it('reports a client that sends nonsense in one line and goes on', async () => {
  const { logger, entries } = captureLogger();
  const broker = await start({ logger });
  const client = await connectRaw(broker.address);
  client.send(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
  await client.closed;
  await waitFor(() => entries().length > 0, { what: 'a line in the log' });
  expect(entries()).toMatchObject([{ level: 'warn', msg: 'closed a connection' }]);
  (await connectRaw(broker.address)).destroy();
});
