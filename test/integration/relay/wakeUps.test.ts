import { getEventListeners } from 'node:events';
import { Client } from 'pg';
import { Nudger, wakeUpChannel } from '../../../src/outbox/nudger';
import { Waker } from '../../../src/relay/waker';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { silentLogger } from '../../support/logger';
import { startTcpProxy, type TcpProxy } from '../../support/tcpProxy';
import { waitFor } from '../../support/waitFor';

let database: TestDatabase;
let proxy: TcpProxy;
const services: { stop(): Promise<void> }[] = [];

beforeEach(async () => {
  database = await createTestDatabase();
  const { hostname, port } = new URL(database.url);
  proxy = await startTcpProxy({ host: hostname, port: Number(port) });
});

afterEach(async () => {
  jest.restoreAllMocks();
  for (const service of services.splice(0)) await service.stop();
  await proxy.close();
  await database.assertNoLeaks();
  await database.drop();
});

function throughProxy(): string {
  const url = new URL(database.url);
  url.host = proxy.address;
  return url.href;
}

async function startNudger(intervalMs: number): Promise<Nudger> {
  const nudger = new Nudger({ databaseUrl: throughProxy(), intervalMs, logger: silentLogger() });
  services.push(nudger);
  await nudger.start();
  return nudger;
}

/** Counts notifications on a connection that no proxy disturbs. */
async function listen(): Promise<{ count: number }> {
  const heard = { count: 0 };
  const client = new Client({ connectionString: database.url });
  await client.connect();
  services.push({ stop: () => client.end() });
  client.on('notification', () => (heard.count += 1));
  await client.query(`LISTEN ${wakeUpChannel}`);
  return heard;
}

test('many nudges within the interval become one at its beginning and one at its end', async () => {
  const heard = await listen();
  const nudger = await startNudger(600);
  nudger.nudge();
  await waitFor(() => heard.count === 1, { what: 'the first wake-up' });
  for (let index = 0; index < 100; index += 1) nudger.nudge();
  await waitFor(() => heard.count === 2, { what: 'the second wake-up' });
  await nudger.stop();
  expect(heard.count).toBe(2);
});

test('an interval of 0 opens no connection and sends nothing', async () => {
  const nudger = await startNudger(0);
  nudger.nudge();
  expect(proxy.connections()).toBe(0);
});

test('a lost database never reaches the caller, and what was nudged meanwhile is told later', async () => {
  const heard = await listen();
  const nudger = await startNudger(1);
  await waitFor(() => proxy.connections() === 1, { what: 'the connection' });
  proxy.refuse();
  proxy.cut();
  await waitFor(() => proxy.connections() === 0, { what: 'the loss' });
  const before = heard.count;
  nudger.nudge();
  proxy.accept();
  await waitFor(() => heard.count > before, { what: 'the late wake-up' });
});

test('nudging before start and after stop, and stopping twice, are harmless', async () => {
  const nudger = new Nudger({ databaseUrl: throughProxy(), intervalMs: 1, logger: silentLogger() });
  nudger.nudge();
  await nudger.stop();
  await nudger.start();
  await nudger.stop();
  await nudger.stop();
  nudger.nudge();
});

test('the waker passes wake-ups on, and a new connection counts as one', async () => {
  let woken = 0;
  const waker = new Waker({
    databaseUrl: throughProxy(),
    onWake: () => (woken += 1),
    logger: silentLogger(),
  });
  services.push(waker);
  await waker.start();
  await waitFor(() => woken === 1, { what: 'the connection' });
  const nudger = await startNudger(1);
  nudger.nudge();
  await waitFor(() => woken === 2, { what: 'the wake-up' });
  proxy.cut();
  await waitFor(() => woken === 3, { what: 'the new connection' });
});

/** Counts the listeners of all abort signals that anybody listens to from now on. */
function countAbortListeners(): () => number {
  const signals = new Set<AbortSignal>();
  const really = Reflect.get<EventTarget, 'addEventListener'>(EventTarget.prototype, 'addEventListener');
  jest.spyOn(AbortSignal.prototype, 'addEventListener').mockImplementation(function add(
    this: AbortSignal,
    ...args: Parameters<EventTarget['addEventListener']>
  ) {
    signals.add(this);
    really.apply(this, args);
  });
  return () => [...signals].reduce((sum, signal) => sum + getEventListeners(signal, 'abort').length, 0);
}

test('the waker leaves no listener behind, however often it connects', async () => {
  const listeners = countAbortListeners();
  let connections = 0;
  const waker = new Waker({
    databaseUrl: throughProxy(),
    onWake: () => (connections += 1),
    logger: silentLogger(),
  });
  services.push(waker);
  await waker.start();
  for (let connection = 1; connection <= 6; connection += 1) {
    await waitFor(() => connections === connection, { what: `connection ${connection}` });
    expect(listeners()).toBe(1);
    proxy.cut();
  }
  await waker.stop();
  expect(listeners()).toBe(0);
});

test('the nudger leaves no listener behind, however often it connects', async () => {
  const heard = await listen();
  const listeners = countAbortListeners();
  const nudger = await startNudger(1);
  for (let connection = 1; connection <= 6; connection += 1) {
    nudger.nudge();
    await waitFor(() => heard.count >= connection, { what: `connection ${connection}` });
    expect(listeners()).toBeLessThanOrEqual(1);
    proxy.cut();
    await waitFor(() => proxy.connections() === 0, { what: 'the loss' });
  }
  await nudger.stop();
  expect(listeners()).toBe(0);
});
