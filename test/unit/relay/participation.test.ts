import { Participation } from '../../../src/relay/participation';

const leaseMs = 1_000;
let now: number;
let participation: Participation;

beforeEach(() => {
  now = 5_000_000;
  participation = new Participation(leaseMs, () => now);
});

const pass = (ms: number): void => {
  now += ms;
};

/** A poll that ends after a moment, in one way or another. */
function poll(end: 'succeeds' | 'sends' | 'fails' | 'fails otherwise', ms = 10): void {
  participation.begin();
  pass(ms);
  if (end === 'sends') participation.sent();
  if (end === 'succeeds' || end === 'sends') participation.succeed();
  else participation.fail(end === 'fails');
}

test('a relay stands by until Kafka has answered it', () => {
  expect(participation.standsBy).toBe(true);
  poll('fails');
  expect(participation.standsBy).toBe(true);
  poll('succeeds');
  expect(participation.standsBy).toBe(false);
});

test('it stands by when Kafka has failed it for a lease time, and takes part again at once', () => {
  poll('sends');
  for (let n = 0; n < 9; n += 1) poll('fails', 100);
  expect(participation.standsBy).toBe(false);
  poll('fails', 100);
  expect(participation.standsBy).toBe(true);
  poll('succeeds');
  expect(participation.standsBy).toBe(false);
});

test('a success in between begins the count anew', () => {
  poll('sends');
  poll('fails', 600);
  poll('succeeds');
  poll('fails', 600);
  expect(participation.standsBy).toBe(false);
});

test('a poll that hangs for a lease time counts, unless Kafka goes on acknowledging', () => {
  poll('sends');
  participation.begin();
  pass(900);
  participation.sent();
  pass(900);
  expect(participation.standsBy).toBe(false);
  pass(200);
  expect(participation.standsBy).toBe(true);
  participation.fail(true);
  expect(participation.standsBy).toBe(true);
});

test('a database that is away is no reason to stand by', () => {
  poll('sends');
  for (let n = 0; n < 5; n += 1) poll('fails otherwise', 900);
  expect(participation.standsBy).toBe(false);
});

test('one that comes back and sends nothing before it fails again stands by longer each time', () => {
  poll('sends');
  const waits: number[] = [];
  for (let round = 0; round < 4; round += 1) {
    while (!participation.standsBy) poll('fails', 500);
    const since = now;
    while (participation.standsBy) poll('succeeds', 100);
    waits.push(now - since);
  }
  expect(waits[0]).toBeLessThan(leaseMs);
  for (let round = 1; round < 4; round += 1) expect(waits[round]).toBeGreaterThan(waits[round - 1] ?? 0);
  poll('sends');
  while (!participation.standsBy) poll('fails', 500);
  poll('succeeds', 100);
  expect(participation.standsBy).toBe(false);
});
