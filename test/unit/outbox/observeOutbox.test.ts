import { Registry } from 'prom-client';
import { observeOutbox } from '../../../src/outbox/observeOutbox';
import { silentLogger } from '../../support/logger';

const backlog = {
  rows: 4,
  oldestSeconds: 9.5,
  parked: 1,
  held: 2,
  lanes: 16,
  unowned: 3,
  relays: 2,
  standingBy: 0,
};

afterEach(() => jest.useRealTimers());

/** A registry whose outbox answers as it is told, and how often it was asked. */
function observed(answer: () => Promise<unknown>) {
  const registry = new Registry();
  let asked = 0;
  observeOutbox(
    registry,
    {
      query: async () => {
        asked += 1;
        return { rows: [await answer()] };
      },
    },
    silentLogger(),
  );
  const sample = async (name: string): Promise<string | undefined> =>
    (await registry.metrics())
      .split('\n')
      .find((line) => line.startsWith(`${name} `))
      ?.split(' ')[1];
  return { registry, asked: () => asked, sample };
}

test('any number of scrapes at a time, and soon after each other, cost one query', async () => {
  // Otherwise "soon" would depend on how slow this machine is.
  jest.useFakeTimers();
  const { registry, asked, sample } = observed(async () => backlog);
  await Promise.all([registry.metrics(), registry.metrics(), registry.metrics()]);
  expect(await sample('signalbox_outbox_oldest_seconds')).toBe('9.5');
  expect(await sample('signalbox_outbox_relays')).toBe('2');
  expect(asked()).toBe(1);
});

test('a count that takes long is kept for twenty times as long', async () => {
  jest.useFakeTimers();
  const { registry, asked } = observed(() => new Promise((done) => setTimeout(() => done(backlog), 500)));
  const first = registry.metrics();
  await jest.advanceTimersByTimeAsync(600);
  await first;
  await jest.advanceTimersByTimeAsync(9_000);
  await registry.metrics();
  expect(asked()).toBe(1);
  await jest.advanceTimersByTimeAsync(1_500);
  void registry.metrics();
  expect(asked()).toBe(2);
});

test('a database that fails, or does not answer in time, leaves no old figures, and the outbox is not readable', async () => {
  jest.useFakeTimers();
  let answer = (): Promise<unknown> => Promise.resolve(backlog);
  const { sample } = observed(() => answer());
  expect(await sample('signalbox_outbox_readable')).toBe('1');
  for (const failing of [() => Promise.reject(new Error('away')), () => new Promise(() => undefined)]) {
    answer = failing;
    await jest.advanceTimersByTimeAsync(1_100);
    const readable = sample('signalbox_outbox_readable');
    await jest.advanceTimersByTimeAsync(2_100);
    expect(await readable).toBe('0');
    const oldest = sample('signalbox_outbox_oldest_seconds');
    await jest.advanceTimersByTimeAsync(2_100);
    expect(await oldest).toBeUndefined();
  }
});

test('every figure says that it must not be summed', async () => {
  const text = await observed(async () => backlog).registry.metrics();
  const help = text.split('\n').filter((line) => line.startsWith('# HELP signalbox_outbox_'));
  expect(help.length).toBeGreaterThan(7);
  expect(help.filter((line) => !/take max\(\), not sum\(\)|_readable/.test(line))).toEqual([]);
});
