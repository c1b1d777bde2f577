import { randomUUID } from 'node:crypto';
import { type Message, Partitioners } from 'kafkajs';
import type { Pool } from 'pg';
import { Registry } from 'prom-client';
import { type Consumer, createConsumer } from '../../../src/consumers/consumer';
import { PermanentError } from '../../../src/consumers/errors';
import type { Handlers } from '../../../src/healthcore/consumers/types';
import { createConsumerMetrics } from '../../../src/consumers/metrics';
import { type EventEnvelope, catalogue } from '../../../src/healthcore/catalogue';
import type { PrismaClient } from '../../../src/generated/prisma/client';
import { createKafka } from '../../../src/kafka/kafkajs/client';
import { declaredTopics } from '../../../src/kafka/topics/declaredTopics';
import { deadLetterTopic } from '../../../src/kafka/topics/topicNames';
import { createPrismaClient } from '../../../src/healthcore/createPrismaClient';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { messageOf, patientCreated, patientMarker } from '../../support/events';
import { createTopics, deleteTopics, kafkaBrokers, readAll, testKafka } from '../../support/kafka';
import { silentLogger } from '../../support/logger';
import { waitFor } from '../../support/waitFor';
import { poolOf } from '../relay/harness';
import { createdTopic, giveUp, kafkaEnv, newPrefix, ops, type Result } from './support';

type Created = EventEnvelope<'patient.created'>;

let database: TestDatabase;
let pool: Pool;
let prisma: PrismaClient;
let prefix: string;
let env: Record<string, string>;
const consumers: Consumer[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  pool = poolOf(database.url);
  prisma = createPrismaClient({
    databaseUrl: database.url,
    poolSize: 5,
    applicationName: 'dlq',
    logger: silentLogger(),
  });
});
beforeEach(async () => {
  prefix = newPrefix();
  env = { ...kafkaEnv(prefix), DATABASE_URL: database.url };
  await createTopics({ topic: createdTopic(prefix) }, { topic: deadLetterTopic(prefix) });
});
afterEach(async () => {
  await Promise.all(consumers.splice(0).map((consumer) => consumer.stop()));
  await deleteTopics(...declaredTopics(catalogue, prefix));
  await pool.query('DELETE FROM signalbox.inbox');
});
afterAll(async () => {
  await pool.end();
  await prisma.$disconnect();
  await database.drop();
});

interface Letter {
  letter: string;
  event_id: string | null;
  state: string;
}
const dlq = (...args: string[]): Promise<Result> => ops(env, 'dlq', ...args);
const list = async (...args: string[]): Promise<Letter[]> =>
  ((await dlq('list', '--json', ...args)).json() as { letters: Letter[] }).letters;
const idsOf = (letters: Letter[]) => letters.map((letter) => letter.event_id);
const audit = () => `${prefix}.audit-log`;

async function send(topic: string, ...messages: Message[]): Promise<void> {
  const producer = testKafka().producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  await producer.send({ topic, messages });
  await producer.disconnect();
}

const plain = (event: Created): Message => ({
  key: event.metadata.aggregate_id,
  value: JSON.stringify(event),
  headers: { event_id: event.event_id, event_type: event.event_type },
});

/** A consumer whose handler is called for every event that its inbox does not know. */
async function start(name: string, handle: (event: Created) => void): Promise<void> {
  const handlers: Handlers = { 'patient.created': async (event) => handle(event) };
  const consumer = createConsumer({
    name,
    group: `${prefix}.${name}`,
    handlers,
    kafka: createKafka(
      { KAFKA_BOOTSTRAP_SERVERS: kafkaBrokers(), KAFKA_CLIENT_ID: 'test', KAFKA_SSL: false },
      silentLogger(),
    ),
    catalogue,
    topicPrefix: prefix,
    database: prisma,
    logger: silentLogger(),
    metrics: createConsumerMetrics(new Registry()),
    retry: { retryLimit: 0, retryMaxMs: 100 },
    sessionTimeoutMs: 10_000,
  });
  consumers.push(consumer);
  await consumer.start();
}

const inbox = async (consumer: string): Promise<string[]> => {
  const result = await pool.query<{ event_id: string }>(
    'SELECT event_id FROM signalbox.inbox WHERE consumer = $1',
    [consumer],
  );
  return result.rows.map(({ event_id }) => event_id);
};

it('lists, filters and shows dead letters without what they say of a patient', async () => {
  const [one, two, three] = [patientCreated(), patientCreated(), patientCreated()];
  await giveUp(prefix, audit(), [one, two]);
  await giveUp(prefix, `${prefix}.email-sender`, [three], { errorClass: 'PermanentError' });
  expect(idsOf(await list())).toEqual([one.event_id, two.event_id, three.event_id]);
  expect(idsOf(await list('--group', 'audit-log', '--since', '1h'))).toEqual([one.event_id, two.event_id]);
  const text = await dlq('list');
  expect(text.output).toContain('the ward does not answer');
  const shown = await dlq('show', '0:1');
  expect(shown.output).toContain(two.event_id);
  expect(`${text.output}${shown.output}`).not.toContain(patientMarker);
  const withValue = await dlq('show', two.event_id, '--value', '--json');
  expect(withValue.json()).toMatchObject({ letters: [{ letter: '0:1', value: JSON.stringify(two) }] });
  const unknown = await dlq('show', '0:99');
  expect(unknown.code).toBe(1);
  expect(unknown.output).toContain('There is no dead letter 0:99');
});

it('replays for the group that gave up and for no other, once, and remembers it', async () => {
  let broken = true;
  const seen: string[] = [];
  const others: string[] = [];
  await start('audit-log', (event) => {
    if (broken) throw new PermanentError('not today');
    seen.push(event.event_id);
  });
  await start('email-sender', (event) => void others.push(event.event_id));
  const event = patientCreated();
  await send(createdTopic(prefix), plain(event));
  await waitFor(async () => (await readAll(deadLetterTopic(prefix))).length === 1, { what: 'a dead letter' });
  await waitFor(() => others.length === 1, { what: 'the other consumer' });
  // Its inbox may be younger than the letter: the header alone must keep it from processing the event again.
  await pool.query(`DELETE FROM signalbox.inbox WHERE consumer = 'email-sender'`);
  broken = false;

  const dry = await dlq('replay', '--all');
  expect(dry).toMatchObject({ code: 0 });
  expect(dry.output).toContain('1 dead letter would be replayed. Nothing was changed');
  expect(await readAll(createdTopic(prefix))).toHaveLength(1);

  const real = await dlq('replay', event.event_id, '--execute', '--json');
  expect(real.code).toBe(0);
  expect(real.json()).toMatchObject({ executed: true, letters: [{ event_id: event.event_id }], failed: [] });
  await waitFor(() => seen.length === 1, { what: 'the replay' });
  const [original, replayed] = await readAll(createdTopic(prefix));
  expect(replayed).toMatchObject({ key: original?.key, value: original?.value });
  expect(replayed?.headers).toEqual({
    ...original?.headers,
    'replay.group': audit(),
    'replay.source': `${deadLetterTopic(prefix)}/0/0`,
    'replay.at': expect.any(String),
  });

  expect(await list()).toEqual([]);
  expect(await list('--all')).toMatchObject([{ letter: '0:0', state: 'replayed' }]);
  expect((await dlq('replay', '--all', '--execute', '--json')).json()).toMatchObject({ letters: [] });
  expect(await readAll(createdTopic(prefix))).toHaveLength(2);
  // One that comes after it shows that the other consumer is past the replay.
  const next = patientCreated();
  await send(createdTopic(prefix), plain(next));
  await waitFor(() => others.includes(next.event_id), { what: 'the event after the replay' });
  expect(others).toEqual([event.event_id, next.event_id]);
});

it('has the effect again only with --force-reprocess, and only for the consumer that is named', async () => {
  const seen: string[] = [];
  await start('audit-log', (event) => void seen.push(event.event_id));
  const [event, foreign] = [patientCreated(), patientCreated()];
  await send(createdTopic(prefix), plain(event));
  await waitFor(() => seen.length === 1, { what: 'the event' });
  await pool.query('INSERT INTO signalbox.inbox (consumer, event_id) VALUES ($1, $2)', [
    'email-sender',
    event.event_id,
  ]);
  await giveUp(prefix, audit(), [event]);
  await giveUp(prefix, `${prefix}.email-sender`, [foreign]);
  await dlq('replay', event.event_id, '--execute');
  await waitFor(async () => (await readAll(createdTopic(prefix))).length === 2, { what: 'the replay' });

  const args = ['replay', '--all', '--again', '--force-reprocess', 'audit-log', '--json'];
  expect((await dlq(...args)).json()).toMatchObject({
    letters: [{ event_id: event.event_id }],
    force_reprocess: { consumer: 'audit-log', known: 1 },
  });
  expect(await inbox('audit-log')).toEqual([event.event_id]);
  expect((await dlq(...args, '--execute')).code).toBe(0);
  await waitFor(() => seen.length === 2, { what: 'the effect, again' });
  expect(await inbox('email-sender')).toEqual([event.event_id]);
  expect(await list()).toMatchObject([{ event_id: foreign.event_id }]);
});

it('replays a letter once when several operators do it at the same time', async () => {
  await giveUp(prefix, audit(), [patientCreated()]);
  const results = await Promise.all([1, 2, 3].map(() => dlq('replay', '--all', '--execute', '--json')));
  expect(results.map(({ code }) => code)).toEqual([0, 0, 0]);
  expect(results.flatMap((result) => (result.json() as { letters: Letter[] }).letters)).toHaveLength(1);
  expect(await readAll(createdTopic(prefix))).toHaveLength(1);
});

it('leaves a letter open that could not be sent, says why, and goes on with the others', async () => {
  const [lost, event] = [patientCreated(), patientCreated()];
  await giveUp(prefix, audit(), [lost], {
    message: { ...messageOf(lost, prefix), topic: `${prefix}.never.made` },
  });
  await giveUp(prefix, audit(), [event]);
  await send(deadLetterTopic(prefix), { value: 'no dead letter at all \u001b[31m' });
  const result = await dlq('replay', '--all', '--execute', '--json');
  expect(result.code).toBe(1);
  expect(result.json()).toMatchObject({
    letters: [{ event_id: event.event_id }],
    failed: [
      { letter: '0:0', reason: 'Kafka refuses it: UNKNOWN_TOPIC_OR_PARTITION' },
      { letter: '0:2', reason: expect.stringContaining('it is not a dead letter of Signalbox') },
    ],
  });
  expect((await list()).map(({ letter }) => letter)).toEqual(['0:0', '0:2']);
});

it('fetches what a letter was too large to take along, and says so when that is gone', async () => {
  const event = patientCreated();
  await send(createdTopic(prefix), plain(event));
  const [original] = await readAll(createdTopic(prefix));
  const place = {
    'dlq.original.topic': createdTopic(prefix),
    'dlq.original.partition': '0',
    'dlq.original.offset': '0',
    'dlq.consumer.group': audit(),
    'dlq.omitted': 'value',
  };
  const letter = (timestamp: string): Message => ({
    value: null,
    headers: { ...place, 'dlq.original.timestamp': timestamp },
  });
  await send(deadLetterTopic(prefix), letter(original?.timestamp ?? ''), letter('12345'));
  const result = await dlq('replay', '--all', '--execute', '--json');
  expect(result.code).toBe(1);
  expect(result.json()).toMatchObject({
    letters: [{ letter: '0:0' }],
    failed: [{ letter: '0:1', reason: expect.stringContaining('Kafka no longer has the original') }],
  });
  const [, replayed] = await readAll(createdTopic(prefix));
  expect(replayed).toMatchObject({ key: original?.key, value: original?.value });
});

it('discards with --execute only, and does not replay what was discarded', async () => {
  const [one, two] = [patientCreated(), patientCreated()];
  await giveUp(prefix, audit(), [one, two]);
  expect((await dlq('discard', '0:0')).output).toContain('1 dead letter would be discarded');
  expect(await list()).toHaveLength(2);
  expect((await dlq('discard', '0:0', '--execute')).output).toContain('1 dead letter was discarded.');
  expect((await dlq('replay', '--all', '--execute', '--json')).json()).toMatchObject({
    letters: [{ event_id: two.event_id }],
  });
  expect(await list('--all')).toMatchObject([
    { event_id: one.event_id, state: 'discarded' },
    { event_id: two.event_id, state: 'replayed' },
  ]);
});

it('knows a new letter from one that lay in the same place of a topic that was deleted', async () => {
  await giveUp(prefix, audit(), [patientCreated()]);
  await dlq('discard', '--all', '--execute');
  expect(await list()).toEqual([]);
  await deleteTopics(deadLetterTopic(prefix));
  await createTopics({ topic: deadLetterTopic(prefix) });
  const event = patientCreated();
  await giveUp(prefix, audit(), [event]);
  expect(await list()).toMatchObject([{ letter: '0:0', event_id: event.event_id, state: 'open' }]);
});

it('asks which letters are meant rather than taking all', async () => {
  for (const [args, message] of [
    [['replay', '--execute'], 'Say which dead letters'],
    [['discard', 'everything', '--execute'], 'names no dead letter'],
    [['replay', '--all', '--group', 'audit-log', '--force-reprocess', 'other'], 'exclude each other'],
  ] as const) {
    const refused = await dlq(...args);
    expect(refused.code).toBe(1);
    expect(refused.output).toContain(message);
  }
  const nothing = await dlq('replay', randomUUID(), '--execute');
  expect(nothing).toMatchObject({ code: 0 });
  expect(nothing.output).toContain('0 dead letters were replayed.');
});
