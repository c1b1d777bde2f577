import { fromSetup, variables } from '../../support/environment';
import { startTcpProxy, type TcpProxy } from '../../support/tcpProxy';
import { waitFor } from '../../support/waitFor';
import { aPatient, startApi, type TestApi } from './startApi';

const path = '/api/v1/patients';
let api: TestApi;
let proxy: TcpProxy;

beforeEach(async () => {
  const server = new URL(fromSetup(variables.databaseUrl));
  proxy = await startTcpProxy({ host: server.hostname, port: Number(server.port || 5432) });
  const through = (url: string): string => {
    const proxied = new URL(url);
    proxied.host = proxy.address;
    return proxied.href;
  };
  api = await startApi({ through, requestTimeoutMs: 2_000 });
  await api.http.post(path).send(aPatient()).expect(201);
});
afterEach(async () => {
  await proxy.close();
  await api.stop();
});

function takeDown(): void {
  proxy.refuse();
  proxy.cut();
}

async function expectUnavailable(): Promise<void> {
  const requests = [
    api.http.get(path),
    api.http.post(path).send(aPatient()),
    api.http.post('/api/v1/appointments/01890000-0000-7000-8000-000000000000/cancel'),
  ];
  for (const { status, headers, body } of await Promise.all(requests)) {
    expect(status).toBe(503);
    expect((headers as Record<string, string>)['retry-after']).toMatch(/^\d+$/);
    expect(body).toMatchObject({ title: 'Temporarily unavailable', status: 503 });
    expect(JSON.stringify(body)).not.toContain('127.0.0.1');
  }
}

async function expectRecovery(): Promise<void> {
  await waitFor(async () => (await api.http.post(path).send(aPatient())).status === 201, {
    what: 'the API to write again',
  });
}

it('answers 503 while the database cannot be reached, and serves again as soon as it can', async () => {
  takeDown();
  await expectUnavailable();
  await expectUnavailable();
  proxy.accept();
  await expectRecovery();
});

it('answers 503 when every connection breaks in the middle of many requests, and recovers', async () => {
  const running = Promise.all(
    Array.from({ length: 40 }, async (_, index) => {
      if (index === 15) takeDown();
      return (await api.http.post(path).send(aPatient())).status;
    }),
  );
  const statuses = await running;
  expect(statuses.filter((status) => status !== 201 && status !== 503)).toEqual([]);
  expect(statuses).toContain(503);
  proxy.accept();
  await expectRecovery();
});

it('answers 503 when the server ends its sessions, as a restart does, and recovers', async () => {
  const answers = Array.from({ length: 20 }, () => api.http.post(path).send(aPatient()));
  const ended = api.sql.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid()`,
  );
  for (const { status } of await Promise.all(answers)) expect([201, 503]).toContain(status);
  await ended;
  await expectRecovery();
});

it('does not wait for ever when the database says nothing, and serves again when it speaks', async () => {
  proxy.pause();
  await expectUnavailable();
  proxy.resume();
  await expectRecovery();
});
