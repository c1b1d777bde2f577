import type { Pool } from 'pg';
import type { OutgoingMessage } from '../../../src/kafka/messages/message';
import type { SendOutcome } from '../../../src/kafka/publish/publisher';
import { type Released, releaseHeld } from '../../../src/relay/releaseHeld';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { append, labelOf, poolOf, type Stepped, type SteppedOptions, steppedRelay } from './harness';
import { catalogue } from '../../../src/healthcore/catalogue';

let database: TestDatabase;
let pool: Pool;

beforeEach(async () => {
  database = await createTestDatabase();
  pool = poolOf(database.url);
});

afterEach(async () => {
  await pool.end();
  await database.drop();
});

async function relay(options: SteppedOptions = {}): Promise<Stepped> {
  const stepped = steppedRelay(pool, options);
  await stepped.leases.renew();
  return stepped;
}

/** Kafka refuses a send that holds one of these messages, as a whole. */
const refusing =
  (...bad: string[]) =>
  (messages: readonly OutgoingMessage[]): SendOutcome =>
    messages.some((message) => bad.includes(labelOf(message)))
      ? { kind: 'poison', type: 'INVALID_RECORD', reason: 'refused' }
      : { kind: 'sent' };

async function setAside(): Promise<string[]> {
  const { rows } = await pool.query<{ label: string }>(
    `SELECT format('%s:%s %s %s', o.aggregate_id, o.data->>'n', p.state, p.reason) AS label
     FROM signalbox.parked_event p JOIN signalbox.outbox o USING (lane, position) ORDER BY position`,
  );
  return rows.map(({ label }) => label);
}

function release(
  stepped: Stepped,
  policy: 'wait' | 'pass' = 'wait',
  maxMessageBytes = 1_000_000,
): Promise<unknown> {
  return releaseHeld({
    database: pool,
    leases: stepped.leases,
    publishing: {
      catalogue,
      publisher: stepped.publisher,
      topicPrefix: 'test',
      maxMessageBytes,
      policy,
      isStopping: () => false,
      onSent: () => undefined,
      onPoison: () => undefined,
    },
    rows: 100,
  });
}

test('of 50 rows with a bad one, 49 are published and the one is parked', async () => {
  for (let n = 1; n <= 50; n += 1) await append(pool, `a${n}`, n);
  const stepped = await relay();
  stepped.publisher.answer = refusing('a31:31');
  expect(await stepped.drain()).toEqual({ published: 49, setAside: 1 });
  expect(new Set(stepped.publisher.published()).size).toBe(49);
  expect(await setAside()).toEqual(['a31:31 parked refused']);
});

test('later events of an aggregate wait behind its parked one; those of others go on', async () => {
  for (let n = 1; n <= 4; n += 1) for (const key of ['a', 'b']) await append(pool, key, n, { lane: 1 });
  const stepped = await relay();
  stepped.publisher.answer = refusing('a:2');
  await stepped.drain();
  await append(pool, 'a', 5, { lane: 1 });
  await stepped.drain();
  expect(stepped.publisher.published()).toEqual(['a:1', 'b:1', 'b:2', 'b:3', 'b:4']);
  expect(await setAside()).toEqual([
    'a:2 parked refused',
    'a:3 held behind',
    'a:4 held behind',
    'a:5 held behind',
  ]);
});

test('the next owner of the lane holds them back too', async () => {
  await append(pool, 'a', 1);
  const first = await relay();
  first.publisher.answer = refusing('a:1');
  await first.drain();
  await first.leases.releaseAll();
  await append(pool, 'a', 2);
  const second = await relay();
  await second.drain();
  expect(second.publisher.published()).toEqual([]);
  expect(await setAside()).toEqual(['a:1 parked refused', 'a:2 held behind']);
});

test('with the policy "pass" later events overtake the parked one', async () => {
  for (let n = 1; n <= 3; n += 1) await append(pool, 'a', n);
  const stepped = await relay({ policy: 'pass' });
  stepped.publisher.answer = refusing('a:1');
  await stepped.drain();
  expect(stepped.publisher.published()).toEqual(['a:2', 'a:3']);
  expect(await setAside()).toEqual(['a:1 parked refused']);
});

test('with the policy "pass" too, events wait behind one whose topic is missing, and go out after it', async () => {
  const stepped = await relay({ policy: 'pass' });
  stepped.publisher.trouble('test.patient.deleted');
  await append(pool, 'a', 1);
  await append(pool, 'a', 2, { eventType: 'patient.deleted' });
  await append(pool, 'a', 3);
  await append(pool, 'b', 1);
  await stepped.drain();
  // Nothing is wrong with the event itself, so there is nothing to pass.
  await release(stepped, 'pass');
  await append(pool, 'a', 4);
  await stepped.drain();
  expect(stepped.publisher.published().sort()).toEqual(['a:1', 'b:1']);
  expect(await setAside()).toEqual(['a:2 held topic_missing', 'a:3 held behind', 'a:4 held behind']);
  stepped.publisher.topicTroubles.clear();
  await release(stepped, 'pass');
  await append(pool, 'a', 5);
  await stepped.drain();
  expect(stepped.publisher.published().slice(2)).toEqual(['a:2', 'a:3', 'a:4', 'a:5']);
  expect(await setAside()).toEqual([]);
});

test('a retried event goes out before those that waited behind it, and a discarded one lets them go', async () => {
  for (let n = 1; n <= 3; n += 1) for (const key of ['a', 'b']) await append(pool, key, n, { lane: 1 });
  const stepped = await relay();
  stepped.publisher.answer = refusing('a:1', 'b:1');
  await stepped.drain();
  await release(stepped);
  expect(stepped.publisher.published()).toEqual([]);
  stepped.publisher.answer = () => ({ kind: 'sent' });
  await pool.query(
    `UPDATE signalbox.parked_event SET state = 'held' WHERE aggregate_id = 'a' AND state = 'parked'`,
  );
  await pool.query(`DELETE FROM signalbox.parked_event WHERE aggregate_id = 'b' AND state = 'parked'`);
  await append(pool, 'a', 4, { lane: 1 });
  await release(stepped);
  await stepped.drain();
  expect(stepped.publisher.published()).toEqual(['a:1', 'a:2', 'b:2', 'a:3', 'b:3', 'a:4']);
  expect(await setAside()).toEqual([]);
});

test('a retried event that fails again is parked again, and the others wait on', async () => {
  for (let n = 1; n <= 2; n += 1) await append(pool, 'a', n);
  const stepped = await relay();
  stepped.publisher.answer = refusing('a:1');
  await stepped.drain();
  await pool.query(`UPDATE signalbox.parked_event SET state = 'held' WHERE state = 'parked'`);
  await release(stepped);
  expect(await setAside()).toEqual(['a:1 parked refused', 'a:2 held behind']);
  expect((await pool.query('SELECT attempts FROM signalbox.parked_event ORDER BY position')).rows[0]).toEqual(
    { attempts: 2 },
  );
});

test('held events of which a second send fails stay held, and go out once, in order, when Kafka takes them', async () => {
  for (let n = 1; n <= 6; n += 1) await append(pool, 'a', n, { padding: 400 });
  const stepped = await relay();
  stepped.publisher.answer = refusing('a:1');
  await stepped.drain();
  expect(await setAside()).toHaveLength(6);
  await pool.query(`UPDATE signalbox.parked_event SET state = 'held' WHERE state = 'parked'`);
  const before = stepped.publisher.sends.length;
  stepped.publisher.answer = () =>
    stepped.publisher.sends.length === before + 1
      ? { kind: 'sent' }
      : { kind: 'retryable', type: 'REQUEST_TIMED_OUT' };
  // A few events fit into a send.
  const failed = (await release(stepped, 'wait', 2_600)) as Released;
  expect(failed.failure).toEqual({ kind: 'retryable', type: 'REQUEST_TIMED_OUT' });
  expect(failed.done).toBeGreaterThan(0);
  const labels = Array.from({ length: 6 }, (_, n) => `a:${n + 1}`);
  expect(stepped.publisher.published()).toEqual(labels.slice(0, failed.done));
  expect((await setAside()).map((line) => line.split(' ')[0])).toEqual(labels.slice(failed.done));
  await append(pool, 'a', 7);
  await stepped.drain().catch(() => undefined);
  expect((await setAside()).at(-1)).toBe('a:7 held behind');
  stepped.publisher.answer = () => ({ kind: 'sent' });
  await release(stepped);
  expect(stepped.publisher.published()).toEqual(Array.from({ length: 7 }, (_, n) => `a:${n + 1}`));
  expect(await setAside()).toEqual([]);
});

test('the first message of a topic that nothing is known of is sent by itself, in its place', async () => {
  await append(pool, 'a', 1, { lane: 1 });
  await append(pool, 'a', 2, { lane: 1, eventType: 'patient.deleted' });
  await append(pool, 'a', 3, { lane: 1 });
  for (let n = 1; n <= 3; n += 1) await append(pool, 'b', n, { lane: 1, eventType: 'patient.deleted' });
  const stepped = await relay();
  stepped.publisher.untried.add('test.patient.deleted');
  stepped.publisher.answer = (messages) => {
    if (!messages.some(({ topic }) => topic === 'test.patient.deleted')) return { kind: 'sent' };
    stepped.publisher.trouble('test.patient.deleted', 'refused', 'TOPIC_AUTHORIZATION_FAILED');
    return { kind: 'topics changed', type: 'TOPIC_AUTHORIZATION_FAILED' };
  };
  expect(await stepped.drain()).toEqual({ published: 1, setAside: 5 });
  expect(stepped.publisher.sends.map((messages) => messages.map(labelOf))).toEqual([['a:1'], ['a:2']]);
  expect(await setAside()).toEqual([
    'a:2 held topic_refused',
    'a:3 held behind',
    'b:1 held topic_refused',
    'b:2 held behind',
    'b:3 held behind',
  ]);
});

test('a topic that turns out to be refused in a full send has the rest of it sent, and nothing of it dropped', async () => {
  for (let n = 1; n <= 3; n += 1) {
    await append(pool, `a${n}`, n, { lane: 1 });
    await append(pool, `b${n}`, n, { lane: 1, eventType: 'patient.deleted' });
  }
  const stepped = await relay();
  stepped.publisher.answer = (messages) => {
    if (!messages.some(({ topic }) => topic === 'test.patient.deleted')) return { kind: 'sent' };
    stepped.publisher.trouble('test.patient.deleted', 'refused', 'TOPIC_AUTHORIZATION_FAILED');
    return { kind: 'topics changed', type: 'TOPIC_AUTHORIZATION_FAILED' };
  };
  expect(await stepped.drain()).toEqual({ published: 3, setAside: 3 });
  expect(stepped.publisher.published()).toEqual(['a1:1', 'a2:2', 'a3:3']);
  expect(await setAside()).toEqual(['b1:1', 'b2:2', 'b3:3'].map((label) => `${label} held topic_refused`));
});

test('a refused topic that shows while a bad row is looked for drops nothing of the half that it is in', async () => {
  await append(pool, 'a', 1, { lane: 1 });
  await append(pool, 'b', 1, { lane: 1, eventType: 'patient.deleted' });
  await append(pool, 'c', 1, { lane: 1 });
  await append(pool, 'd', 1, { lane: 1 });
  const stepped = await relay();
  stepped.publisher.answer = (messages) => {
    if (messages.some((message) => labelOf(message) === 'c:1')) return refusing('c:1')(messages);
    if (!messages.some(({ topic }) => topic === 'test.patient.deleted')) return { kind: 'sent' };
    stepped.publisher.trouble('test.patient.deleted', 'refused', 'TOPIC_AUTHORIZATION_FAILED');
    return { kind: 'topics changed', type: 'TOPIC_AUTHORIZATION_FAILED' };
  };
  expect(await stepped.drain()).toEqual({ published: 2, setAside: 2 });
  expect(stepped.publisher.published()).toEqual(['a:1', 'd:1']);
  expect(await setAside()).toEqual(['b:1 held topic_refused', 'c:1 parked refused']);
});

test('during an outage nothing is held, and no aggregate stays blocked after it', async () => {
  await append(pool, 'a', 1, { eventType: 'patient.deleted' });
  await append(pool, 'a', 2);
  const stepped = await relay();
  stepped.publisher.trouble('test.patient.deleted', 'unavailable', 'NOT_ENOUGH_REPLICAS');
  stepped.publisher.outages.add('test.patient.deleted');
  expect(await stepped.tick.run()).toMatchObject({
    published: 0,
    setAside: 0,
    failure: { kind: 'retryable', type: 'NOT_ENOUGH_REPLICAS' },
  });
  expect(await setAside()).toEqual([]);
  // Another topic is written to: it is this topic's trouble alone.
  await append(pool, 'b', 1);
  expect(await stepped.tick.run()).toMatchObject({ published: 1, setAside: 2 });
  expect(await setAside()).toEqual(['a:1 held topic_unavailable', 'a:2 held behind']);
  stepped.publisher.topicTroubles.clear();
  await release(stepped);
  expect(stepped.publisher.published()).toEqual(['b:1', 'a:1', 'a:2']);
});

test('what can never be sent is parked before anything is sent, with a reason that quotes no data', async () => {
  await append(pool, 'a', 1, { eventType: 'patient.unheard_of' });
  await append(pool, 'b', 1, { padding: 5_000 });
  await append(pool, 'c', 1, { padding: 1_500 });
  await append(pool, 'd', 1);
  const stepped = await relay({ maxMessageBytes: 2_000, limits: { dataBytes: 2_000 } });
  await stepped.drain();
  expect(stepped.publisher.published()).toEqual(['d:1']);
  expect(await setAside()).toEqual([
    'a:1 parked unknown_type',
    'b:1 parked too_large',
    'c:1 parked too_large',
  ]);
  const { rows } = await pool.query<{ detail: string }>('SELECT detail FROM signalbox.parked_event');
  for (const { detail } of rows) expect(detail).not.toContain('xxx');
});

test('an event whose message cannot be built is parked, alone, and leaves nothing claimed', async () => {
  for (let n = 1; n <= 3; n += 1) for (const key of ['a', 'b']) await append(pool, key, n, { lane: 1 });
  // No JavaScript date can say it.
  await pool.query(
    `UPDATE signalbox.outbox SET occurred_at = 'infinity' WHERE aggregate_id = 'a' AND data->>'n' = '2'`,
  );
  const stepped = await relay();
  expect(await stepped.drain()).toEqual({ published: 4, setAside: 2 });
  expect(stepped.publisher.published()).toEqual(['a:1', 'b:1', 'b:2', 'b:3']);
  expect(await setAside()).toEqual(['a:2 parked refused', 'a:3 held behind']);
  expect(await stepped.drain()).toEqual({ published: 0, setAside: 0 });
});

test('events whose data consumers would refuse are parked before anything is sent, with what is wrong and no value', async () => {
  for (let n = 1; n <= 50; n += 1) await append(pool, `a${n}`, n, { lane: 1 });
  await append(pool, 'a7', 51, { lane: 1 });
  const bad = [
    ['a7', { patient_id: 'MARKER' }],
    ['a9', { name: null }],
    ['a11', { changed_fields: [1] }],
  ] as const;
  for (const [key, wrong] of bad)
    await pool.query(
      `UPDATE signalbox.outbox SET data = (data::jsonb || $2)::json WHERE aggregate_id = $1 AND data->>'n' <> '51'`,
      [key, wrong],
    );
  await pool.query(`UPDATE signalbox.outbox SET data = '5' WHERE aggregate_id = 'a13'`);
  const stepped = await relay();
  expect(await stepped.drain()).toEqual({ published: 46, setAside: 5 });
  const { rows } = await pool.query<{ key: string; reason: string; detail: string }>(
    'SELECT aggregate_id AS key, reason, detail FROM signalbox.parked_event ORDER BY position',
  );
  const refusal = (faults: string): string =>
    `Consumers would refuse its data, which are not what the catalogue says: ${faults}.`;
  expect(rows).toEqual([
    { key: 'a7', reason: 'refused', detail: refusal('data.patient_id: invalid_format') },
    { key: 'a9', reason: 'refused', detail: refusal('data.name: invalid_type') },
    { key: 'a11', reason: 'refused', detail: refusal('data.changed_fields.0: invalid_type') },
    { key: 'a13', reason: 'refused', detail: refusal('data: invalid_type') },
    { key: 'a7', reason: 'behind', detail: 'An earlier event of its aggregate is set aside.' },
  ]);
});

test('a time that consumers would refuse is a reason to park, too', async () => {
  for (const key of ['a', 'b', 'c']) await append(pool, key, 1, { lane: 1 });
  await pool.query(`UPDATE signalbox.outbox SET occurred_at = '0044-03-15 BC' WHERE aggregate_id = 'a'`);
  await pool.query(`UPDATE signalbox.outbox SET occurred_at = '10000-01-01' WHERE aggregate_id = 'b'`);
  const stepped = await relay();
  expect(await stepped.drain()).toEqual({ published: 1, setAside: 2 });
  expect(stepped.publisher.published()).toEqual(['c:1']);
});

test('a send that throws marks nothing as published', async () => {
  for (let n = 1; n <= 9; n += 1) await append(pool, 'a', n);
  const stepped = await relay({ limits: { rows: 3 } });
  await stepped.tick.run();
  stepped.publisher.answer = () => {
    throw new Error('as no publisher should');
  };
  await expect(stepped.tick.run()).rejects.toThrow('as no publisher should');
  stepped.publisher.answer = () => ({ kind: 'sent' });
  await stepped.leases.renew();
  await stepped.drain();
  expect(stepped.publisher.published()).toEqual(Array.from({ length: 9 }, (_, n) => `a:${n + 1}`));
});

test('no send holds more for a topic than the brokers take in one batch', async () => {
  for (let n = 1; n <= 20; n += 1) await append(pool, 'a', n, { padding: 400 });
  const stepped = await relay({ maxMessageBytes: 4_000 });
  await stepped.drain();
  expect(stepped.publisher.published()).toEqual(Array.from({ length: 20 }, (_, n) => `a:${n + 1}`));
  for (const send of stepped.publisher.sends) {
    expect(send.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(4_000);
  }
});

test('an outage in the middle of a page settles what was acknowledged and repeats nothing of it', async () => {
  for (let n = 1; n <= 20; n += 1) await append(pool, 'a', n, { padding: 400 });
  const stepped = await relay({ maxMessageBytes: 4_000 });
  stepped.publisher.answer = () =>
    stepped.publisher.sends.length < 3 ? { kind: 'sent' } : { kind: 'retryable', type: 'REQUEST_TIMED_OUT' };
  const result = await stepped.tick.run();
  expect(result).toMatchObject({ failure: { kind: 'retryable' }, setAside: 0 });
  await stepped.leases.releaseAll();
  const next = await relay({ maxMessageBytes: 4_000 });
  await next.drain();
  expect([...stepped.publisher.published(), ...next.publisher.published()]).toEqual(
    Array.from({ length: 20 }, (_, n) => `a:${n + 1}`),
  );
});

test('a crash between the send and the cursor repeats those pages and nothing else', async () => {
  for (let n = 1; n <= 9; n += 1) await append(pool, 'a', n);
  const crashing = await relay({ limits: { rows: 3 } });
  await crashing.tick.run();
  crashing.publisher.answer = async () => {
    await pool.query('ALTER TABLE signalbox.lane RENAME TO lane_away');
    return { kind: 'sent' };
  };
  await expect(crashing.tick.run()).rejects.toThrow('signalbox.lane');
  await pool.query('ALTER TABLE signalbox.lane_away RENAME TO lane');
  // After an error the lanes are taken anew, with what the table says.
  expect(crashing.leases.current()).toEqual([]);
  crashing.publisher.answer = () => ({ kind: 'sent' });
  await crashing.leases.renew();
  await crashing.drain();
  expect(crashing.publisher.published().map((label) => Number(label.slice(2)))).toEqual([
    1, 2, 3, 4, 5, 6, 4, 5, 6, 7, 8, 9,
  ]);
});
