import { batchDone, nothingPublished, pageRequest, withinBatch } from '../../../src/outbox/log/cursor';
import { hadEnded, parseSnapshot, stragglers } from '../../../src/outbox/log/snapshot';

const horizon = (text: string, xid: bigint, floor: bigint, ceiling: bigint) => ({
  snapshot: parseSnapshot(text),
  xid,
  floor,
  ceiling,
});

test('a transaction has ended for a snapshot unless it is listed or not below xmax', () => {
  const snapshot = parseSnapshot('10:20:10,14');
  expect([9n, 10n, 11n, 14n, 19n, 20n].map((xid) => hadEnded(xid, snapshot))).toEqual([
    true,
    false,
    true,
    false,
    true,
    false,
  ]);
});

test('what is no snapshot is refused', () => {
  expect(() => parseSnapshot('10:20')).toThrow('"10:20" is not a snapshot');
});

test('stragglers are those that were listed and those from xmax up to the last id, once they have ended', () => {
  const done = parseSnapshot('10:20:10,14');
  expect(stragglers(done, 23n, parseSnapshot('14:25:14,22'))).toEqual([10n, 20n, 21n, 23n]);
});

test('of a lane of which nothing is published everything is in the main range', () => {
  const request = pageRequest(3, nothingPublished, horizon('5:5:', 5n, 7n, 9n));
  expect(request).toMatchObject({ lane: 3, mainAfter: 0n, after: 0n, stragglers: [], resumed: false });
});

test('a page within a batch goes on after its position, for stragglers below the floor too', () => {
  const first = pageRequest(3, { done: horizon('5:5:', 6n, 100n, 100n) }, horizon('9:9:', 9n, 200n, 210n));
  expect(first).toMatchObject({ mainAfter: 100n, after: 0n, stragglers: [5n, 6n] });
  const cursor = withinBatch(first, 90n);
  const later = horizon('20:20:', 20n, 300n, 310n);
  const second = pageRequest(3, cursor, later);
  expect(second).toMatchObject({ mainAfter: 100n, after: 90n, resumed: true });
  expect(second.horizon).toBe(first.horizon);
  expect(pageRequest(3, batchDone(second), later)).toMatchObject({
    mainAfter: 200n,
    after: 0n,
    resumed: false,
  });
});
