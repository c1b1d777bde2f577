import { Registry } from 'prom-client';
import { LagFigures } from '../../../src/consumers/lag';

const at = (seconds: number): number => 1_700_000_000_000 + seconds * 1_000;
const place = { topic: 'shop.order.created', partition: 0 };
const labels = 'consumer="billing",topic="shop.order.created",partition="0"';

function figures() {
  const registry = new Registry();
  let now = at(0);
  const lag = new LagFigures(registry, () => now);
  return {
    lag,
    advanceTo: (seconds: number) => (now = at(seconds)),
    line: async (name: string): Promise<string | undefined> =>
      (await registry.metrics()).split('\n').find((text) => text.startsWith(`${name}{`)),
  };
}

test('the age is that of the oldest message that is left, however long this process has known of it', async () => {
  const { lag, line } = figures();
  lag.set('billing', { ...place, lag: 3, oldestAt: at(-3_600) });
  expect(await line('signalbox_consumer_lag_seconds')).toBe(`signalbox_consumer_lag_seconds{${labels}} 3600`);
});

test('the age grows while the consumer stands still, and reports that know no time do not make it younger', async () => {
  const { lag, line, advanceTo } = figures();
  lag.set('billing', { ...place, lag: 1, oldestAt: at(-10) });
  advanceTo(50);
  lag.set('billing', { ...place, lag: 9 });
  expect(await line('signalbox_consumer_lag_seconds')).toBe(`signalbox_consumer_lag_seconds{${labels}} 60`);
  expect(await line('signalbox_consumer_lag')).toBe(`signalbox_consumer_lag{${labels}} 9`);
});

test('between two batches of a backlog the age does not fall to 0', async () => {
  const { lag, line, advanceTo } = figures();
  lag.set('billing', { ...place, lag: 500, oldestAt: at(-3_600) });
  lag.set('billing', { ...place, lag: 400 });
  expect(await line('signalbox_consumer_lag_seconds')).toBe(`signalbox_consumer_lag_seconds{${labels}} 3600`);
  lag.set('billing', { ...place, lag: 400, oldestAt: at(-3_000) });
  advanceTo(10);
  expect(await line('signalbox_consumer_lag_seconds')).toBe(`signalbox_consumer_lag_seconds{${labels}} 3010`);
});

test('of a message that is seen before its batch comes, the age counts from then', async () => {
  const { lag, line, advanceTo } = figures();
  lag.set('billing', { ...place, lag: 1, oldestAt: at(-10) });
  lag.set('billing', { ...place, lag: 0 });
  lag.set('billing', { ...place, lag: 4 });
  advanceTo(5);
  lag.set('billing', { ...place, lag: 4 });
  expect(await line('signalbox_consumer_lag_seconds')).toBe(`signalbox_consumer_lag_seconds{${labels}} 5`);
});

test('it is 0 when nothing is left, and the partition of another process is not reported', async () => {
  const { lag, line, advanceTo } = figures();
  lag.set('billing', { ...place, lag: 1, oldestAt: at(-10) });
  lag.set('billing', { ...place, lag: 0 });
  advanceTo(100);
  expect(await line('signalbox_consumer_lag_seconds')).toBe(`signalbox_consumer_lag_seconds{${labels}} 0`);
  lag.keepOnly('billing', { 'shop.order.created': [1] });
  expect(await line('signalbox_consumer_lag_seconds')).toBeUndefined();
});
