import { TopicBoard } from '../../../src/kafka/topics/topicBoard';
import type { TopicTrouble } from '../../../src/kafka/topics/topicTrouble';

let now: number;
let board: TopicBoard;

beforeEach(() => {
  now = 1_000_000;
  board = new TopicBoard({ retryMaxMs: 30_000, patienceMs: 10_000, now: () => now });
});

const unavailable: TopicTrouble = {
  topic: 'a',
  state: 'unavailable',
  operation: 'Write',
  type: 'NOT_ENOUGH_REPLICAS',
};
const refused: TopicTrouble = {
  topic: 'b',
  state: 'refused',
  operation: 'Write',
  type: 'TOPIC_AUTHORIZATION_FAILED',
};

test('a topic is proven from its first acknowledgement to the next doubt', () => {
  expect(board.isProven('a')).toBe(false);
  board.acknowledge(['a']);
  expect(board.isProven('a')).toBe(true);
  board.doubt(['a']);
  expect(board.isProven('a')).toBe(false);
});

test('a refused topic is in trouble at once, an unavailable one when it has lasted', () => {
  expect(board.report(refused)).toBe(true);
  expect(board.report(unavailable)).toBe(false);
  now += 9_999;
  expect(board.report(unavailable)).toBe(false);
  expect([...board.troubles.keys()]).toEqual(['b']);
  now += 1;
  expect(board.report(unavailable)).toBe(true);
  expect([...board.troubles.keys()]).toEqual(['b', 'a']);
});

test('an acknowledgement ends the trouble, and patience begins anew', () => {
  board.report(unavailable);
  now += 10_000;
  board.report(unavailable);
  board.acknowledge(['a']);
  expect(board.troubles.size).toBe(0);
  expect(board.report(unavailable)).toBe(false);
});

test('it is an outage unless another topic was acknowledged since', () => {
  board.acknowledge(['b']);
  now += 1;
  board.report(unavailable);
  expect(board.isOutage('a')).toBe(true);
  now += 1;
  board.acknowledge(['b']);
  expect(board.isOutage('a')).toBe(false);
  expect(board.isOutage('b')).toBe(false);
});

test('topics in trouble are tried again after growing pauses, up to the longest', () => {
  board.report(refused);
  const pauses: number[] = [];
  for (let attempt = 0; attempt < 8; attempt += 1) {
    const since = now;
    while (!board.takeRetry()) now += 100;
    pauses.push(now - since);
    // What was found out by writing is tried again, and fails.
    board.replace([]);
    expect(board.troubles.size).toBe(0);
    board.report(refused);
  }
  expect(pauses[0]).toBeLessThanOrEqual(2_100);
  expect(pauses.at(-1)).toBeGreaterThanOrEqual(15_000);
  for (const pause of pauses) expect(pause).toBeLessThanOrEqual(30_100);
  board.replace([]);
  board.acknowledge(['b']);
  board.report(refused);
  const since = now;
  while (!board.takeRetry()) now += 100;
  expect(now - since).toBeLessThanOrEqual(2_100);
});
