import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { ConfigResourceTypes, Partitioners, type Message, type Producer } from 'kafkajs';
import { Registry } from 'prom-client';
import { type Consumer, createConsumer, type ConsumerOptions } from '../../../src/consumers/consumer';
import { PermanentError, PostponeError } from '../../../src/consumers/errors';
import type { Handlers } from '../../../src/healthcore/consumers/types';
import { auditLog } from '../../../src/healthcore/consumers/auditLog';
import { createConsumerMetrics } from '../../../src/consumers/metrics';
import { createKafka } from '../../../src/kafka/kafkajs/client';
import { type AnyEvent, type EventEnvelope, catalogue } from '../../../src/healthcore/catalogue';
import type { Prisma, PrismaClient } from '../../../src/generated/prisma/client';
import { deadLetterTopic, topicOf } from '../../../src/kafka/topics/topicNames';
import { createPrismaClient } from '../../../src/healthcore/createPrismaClient';
import { checkReadiness } from '../../../src/shared/opsServer';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { patientCreated, patientMarker } from '../../support/events';
import {
  createTopics,
  deleteTopics,
  kafkaBrokers,
  readAll,
  testKafka,
  uniqueName,
  withAdmin,
} from '../../support/kafka';
import { captureLogger, silentLogger } from '../../support/logger';
import { startTcpProxy } from '../../support/tcpProxy';
import { waitFor } from '../../support/waitFor';

let database: TestDatabase;
let prisma: PrismaClient;
let producer: Producer;
const made: string[] = [];
const consumers: Consumer[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  prisma = createPrismaClient({
    databaseUrl: database.url,
    poolSize: 20,
    applicationName: 'consumer',
    logger: silentLogger(),
  });
  producer = testKafka().producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
});

afterEach(async () => {
  await Promise.all(consumers.splice(0).map((consumer) => consumer.stop()));
});

afterAll(async () => {
  await producer.disconnect();
  await prisma.$disconnect();
  await database.assertNoLeaks();
  await database.drop();
  await deleteTopics(...made);
});

/** A topic prefix of this test's own, with the topic of `patient.created` and usually that of dead letters. */
async function newPrefix({ partitions = 1, deadLetters = true } = {}): Promise<string> {
  const prefix = uniqueName('consumer').replaceAll('.', '-');
  const topics = [{ topic: topicOf(prefix, 'patient.created'), partitions }];
  if (deadLetters) topics.push({ topic: deadLetterTopic(prefix), partitions: 1 });
  await createTopics(...topics);
  made.push(...topics.map(({ topic }) => topic));
  return prefix;
}

/** Messages that may share a transaction; everything below holds for each. */
let messagesPerTransaction = 1;

interface Started {
  readonly consumer: Consumer;
  readonly registry: Registry;
  readonly log: ReturnType<typeof captureLogger>;
  readonly group: string;
}

async function startConsumer(
  prefix: string,
  handlers: Handlers,
  more: Partial<ConsumerOptions<typeof catalogue, Prisma.TransactionClient>> = {},
): Promise<Started> {
  const log = captureLogger();
  const registry = new Registry();
  const group = more.group ?? uniqueName('group');
  const consumer = createConsumer({
    name: group,
    group,
    handlers,
    kafka: createKafka(
      { KAFKA_BOOTSTRAP_SERVERS: kafkaBrokers(), KAFKA_CLIENT_ID: 'test', KAFKA_SSL: false },
      log.logger,
    ),
    catalogue,
    topicPrefix: prefix,
    database: prisma,
    logger: log.logger,
    metrics: createConsumerMetrics(registry),
    retry: { retryLimit: 3, retryMaxMs: 300 },
    sessionTimeoutMs: 10_000,
    sharedTransactions: { most: messagesPerTransaction },
    ...more,
  });
  consumers.push(consumer);
  await consumer.start();
  return { consumer, registry, log, group };
}

async function send(
  prefix: string,
  ...messages: (Message | EventEnvelope<'patient.created'>)[]
): Promise<void> {
  await producer.send({
    topic: topicOf(prefix, 'patient.created'),
    acks: -1,
    messages: messages.map((message) => ('event_id' in message ? messageFor(message) : message)),
  });
}

function messageFor(event: EventEnvelope<'patient.created'>): Message {
  return {
    key: event.metadata.aggregate_id,
    value: JSON.stringify(event),
    headers: { event_id: event.event_id, event_type: event.event_type },
  };
}

/** Handlers that record the events they were given and may do more. */
function recording(more: (event: AnyEvent, attempt: number) => Promise<void> = async () => undefined) {
  const seen: string[] = [];
  const handlers: Handlers = {
    'patient.created': async (event, { attempt }) => {
      seen.push(event.event_id);
      await more(event, attempt);
    },
  };
  return { seen, handlers };
}

async function inboxRows(): Promise<{ consumer: string; event_id: string }[]> {
  return prisma.$queryRaw`SELECT consumer, event_id::text FROM signalbox.inbox`;
}

async function processedBy(consumer: string): Promise<string[]> {
  return (await inboxRows()).filter((row) => row.consumer === consumer).map((row) => row.event_id);
}

const ready = async ({ consumer }: Started): Promise<boolean> =>
  (await checkReadiness(consumer.readiness)).ready;

async function committedLag(group: string, topic: string): Promise<bigint> {
  return withAdmin(async (admin) => {
    const [committed] = await admin.fetchOffsets({ groupId: group, topics: [topic] });
    const ends = await admin.fetchTopicOffsets(topic);
    return ends.reduce((sum, { partition, high }) => {
      const offset = committed?.partitions.find((place) => place.partition === partition)?.offset ?? '0';
      return sum + BigInt(high) - BigInt(offset === '-1' ? 0 : offset);
    }, 0n);
  });
}

function ownRetries(metrics: string): number {
  return Number(/signalbox_consumer_retries_total\{.*reason="own"\} (\d+)/.exec(metrics)?.[1] ?? 0);
}

describe.each([1, 20])('with %i messages at most in a transaction', (most) => {
  beforeAll(() => {
    messagesPerTransaction = most;
  });

  test('events from before the first start are processed, in order within a partition, and their offsets committed', async () => {
    const prefix = await newPrefix();
    const events = Array.from({ length: 30 }, () => patientCreated());
    await send(prefix, ...events);
    const { seen, handlers } = recording();
    const { group } = await startConsumer(prefix, handlers);
    await waitFor(() => seen.length >= 30, { what: 'all events' });
    expect(seen).toEqual(events.map((event) => event.event_id));
    await waitFor(async () => (await committedLag(group, topicOf(prefix, 'patient.created'))) === 0n, {
      what: 'the offsets to be committed',
    });
  });

  test('a handler that fails twice and then succeeds has its effect once, and nothing overtakes its event', async () => {
    const prefix = await newPrefix();
    const [first, second] = [patientCreated(), patientCreated()];
    await send(prefix, first, second);
    const attempts: [string, number][] = [];
    const { handlers } = recording(async (event, attempt) => {
      attempts.push([event.event_id, attempt]);
      if (event.event_id === first.event_id && attempt < 3) throw new Error('not yet');
    });
    const { group, registry } = await startConsumer(prefix, handlers);
    await waitFor(async () => (await processedBy(group)).length === 2, { what: 'both events' });
    // The attempt that it shares with the other message does not count.
    const own = messagesPerTransaction === 1 ? attempts : attempts.slice(1);
    expect(own).toEqual([
      [first.event_id, 1],
      [first.event_id, 2],
      [first.event_id, 3],
      [second.event_id, 1],
    ]);
    expect(await readAll(deadLetterTopic(prefix))).toEqual([]);
    expect(await registry.metrics()).toContain('reason="failed"} 2');
  });

  test('a handler that fails for ever makes one dead letter, complete and without a value in its headers', async () => {
    const prefix = await newPrefix();
    const [bad, good] = [patientCreated(), patientCreated()];
    await send(
      prefix,
      { ...messageFor(bad), headers: { ...messageFor(bad).headers, twice: ['a', 'b'] } },
      good,
    );
    const { handlers } = recording(async (event) => {
      if (event.event_id === bad.event_id) throw new RangeError(`cannot bear ${patientMarker}`);
    });
    const started = await startConsumer(prefix, handlers);
    await waitFor(async () => (await processedBy(started.group)).length === 1, { what: 'the good event' });
    const [letter, ...more] = await readAll(deadLetterTopic(prefix));
    expect(more).toEqual([]);
    expect(letter?.key).toBe(bad.metadata.aggregate_id);
    expect(letter?.value).toBe(JSON.stringify(bad));
    expect(letter?.headers).toEqual({
      event_id: bad.event_id,
      event_type: 'patient.created',
      twice: 'a,b',
      'dlq.original.topic': topicOf(prefix, 'patient.created'),
      'dlq.original.partition': '0',
      'dlq.original.offset': '0',
      'dlq.original.timestamp': expect.stringMatching(/^\d{13}$/),
      'dlq.consumer.group': started.group,
      'dlq.attempts': '4',
      'dlq.error.class': 'RangeError',
      'dlq.error.message': 'the handler failed',
      'dlq.failed.at': expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    });
    expect(started.log.lines().join('\n')).not.toContain(patientMarker);
    expect(await started.registry.metrics()).not.toContain(patientMarker);
  });

  test('what cannot be processed is put aside at once, and the events around it are processed', async () => {
    const prefix = await newPrefix();
    const [first, refused, last] = [patientCreated(), patientCreated(), patientCreated()];
    await send(
      prefix,
      first,
      { key: 'broken', value: `{"name":"${patientMarker}` },
      { key: 'nothing', value: null },
      { key: null, value: JSON.stringify({ ...patientCreated(), event_type: 'no.such' }) },
      refused,
      last,
    );
    const { handlers } = recording(async (event) => {
      if (event.event_id === refused.event_id) throw new PermanentError('the rules forbid it');
    });
    const { group, log, registry } = await startConsumer(prefix, handlers);
    await waitFor(async () => (await processedBy(group)).length === 2, { what: 'the good events' });
    const letters = await readAll(deadLetterTopic(prefix));
    expect(letters.map((letter) => letter.headers['dlq.error.message'])).toEqual([
      'the value is not JSON',
      'the message has no value',
      'event_type: not in the catalogue',
      'the rules forbid it',
    ]);
    expect(letters.map((letter) => letter.headers['dlq.attempts'])).toEqual(['1', '1', '1', '1']);
    expect(letters.map((letter) => letter.key)).toEqual([
      'broken',
      'nothing',
      null,
      refused.metadata.aggregate_id,
    ]);
    expect(letters[1]?.value).toBeNull();
    expect(log.lines().join('\n')).not.toContain(patientMarker);
    expect(await registry.metrics()).not.toContain(patientMarker);
  });

  test('a partition that waits for its message holds up no other partition', async () => {
    const prefix = await newPrefix({ partitions: 2 });
    const stuck = patientCreated();
    const { handlers } = recording(async (event) => {
      if (event.event_id === stuck.event_id) throw new Error('never');
    });
    const { group } = await startConsumer(prefix, handlers, {
      retry: { retryLimit: 1_000, retryMaxMs: 60_000 },
    });
    await send(prefix, { ...messageFor(stuck), partition: 0 });
    for (let index = 0; index < 5; index += 1) {
      const event = patientCreated();
      await send(prefix, { ...messageFor(event), partition: 1 });
      await waitFor(async () => (await processedBy(group)).includes(event.event_id), {
        what: 'the other partition',
      });
    }
    expect(await processedBy(group)).not.toContain(stuck.event_id);
  });

  test('an event that its handler puts off holds up nothing, and is tried again by itself', async () => {
    const prefix = await newPrefix();
    const [first, second, other] = [patientCreated(), patientCreated(), patientCreated()];
    second.metadata = { ...second.metadata, aggregate_id: first.metadata.aggregate_id, sequence: '2' };
    const done: string[] = [];
    const handlers: Handlers = {
      'patient.created': async (event, { attempt }) => {
        if (event.event_id === first.event_id && attempt === 1)
          throw new PostponeError('not now', { afterMs: 1_500 });
        done.push(event.event_id);
      },
    };
    const { registry, group } = await startConsumer(prefix, handlers);
    await send(prefix, first, second, other);
    await waitFor(() => done.length === 3, { what: 'all three' });
    expect(done).toEqual([other.event_id, first.event_id, second.event_id]);
    await waitFor(
      async () => (await registry.metrics()).includes(`signalbox_consumer_postponed{consumer="${group}"} 0`),
      { what: 'nothing to be postponed' },
    );
    await waitFor(async () => (await committedLag(group, topicOf(prefix, 'patient.created'))) === 0n, {
      what: 'the offset to be committed',
    });
  });

  test('a postponed event that its handler then refuses for good becomes a dead letter', async () => {
    const prefix = await newPrefix();
    const { handlers } = recording(async (_event, attempt) => {
      throw attempt === 1 ? new PostponeError('not now', { afterMs: 0 }) : new PermanentError('never');
    });
    await startConsumer(prefix, handlers);
    await send(prefix, patientCreated());
    const [letter] = await waitFor(
      async () => {
        const letters = await readAll(deadLetterTopic(prefix));
        return letters.length > 0 && letters;
      },
      { what: 'the dead letter' },
    );
    expect(letter?.headers).toMatchObject({ 'dlq.error.message': 'never', 'dlq.attempts': '2' });
  });

  test('while the dead-letter topic cannot be written the partition waits, and readiness says so', async () => {
    const prefix = await newPrefix({ deadLetters: false });
    const after = patientCreated();
    await send(prefix, { key: 'broken', value: 'no json' }, after);
    const { seen, handlers } = recording();
    const started = await startConsumer(prefix, handlers);
    const blocked = await waitFor(
      async () => {
        const { checks } = await checkReadiness(started.consumer.readiness);
        return Object.values(checks).find(({ ok, detail }) => !ok && detail?.includes('dead-letter topic'));
      },
      { what: 'readiness to say so' },
    );
    expect(blocked.detail).toContain(`${topicOf(prefix, 'patient.created')}/0`);
    expect(seen).toEqual([]);
    expect(await committedLag(started.group, topicOf(prefix, 'patient.created'))).toBe(2n);
    made.push(deadLetterTopic(prefix));
    await createTopics({ topic: deadLetterTopic(prefix) });
    await waitFor(() => seen.length === 1, { what: 'the event behind it' });
    expect(await readAll(deadLetterTopic(prefix))).toHaveLength(1);
    expect(await ready(started)).toBe(true);
  });

  test('a message at the size limit becomes a dead letter without its value that says so', async () => {
    const prefix = await newPrefix();
    const limit = '20000';
    await withAdmin((admin) =>
      admin.alterConfigs({
        validateOnly: false,
        resources: [
          {
            type: ConfigResourceTypes.TOPIC,
            name: deadLetterTopic(prefix),
            configEntries: [{ name: 'max.message.bytes', value: limit }],
          },
        ],
      }),
    );
    const value = 'x'.repeat(19_900);
    await send(prefix, { key: 'large', value, headers: { mine: 'kept' } });
    await startConsumer(prefix, recording().handlers);
    const [letter] = await waitFor(
      async () => {
        const letters = await readAll(deadLetterTopic(prefix));
        return letters.length > 0 && letters;
      },
      { what: 'the dead letter' },
    );
    expect(letter).toMatchObject({
      key: 'large',
      value: null,
      headers: {
        mine: 'kept',
        'dlq.omitted': 'value',
        'dlq.original.size': '19900',
        'dlq.original.offset': '0',
      },
    });
  });

  test('every figure is counted: outcomes, retries, time, and the lag of each partition', async () => {
    const prefix = await newPrefix({ partitions: 2 });
    const [flaky, twice] = [patientCreated(), patientCreated()];
    await send(
      prefix,
      { ...messageFor(flaky), partition: 0 },
      { ...messageFor(twice), partition: 1 },
      { ...messageFor(twice), partition: 1 },
      { key: 'broken', value: 'no json', partition: 1 },
    );
    const { handlers } = recording(async (event, attempt) => {
      if (event.event_id === flaky.event_id && attempt === 1) throw new Error('not yet');
    });
    const { group, registry } = await startConsumer(prefix, handlers);
    const labels = `consumer="${group}",event_type="patient.created"`;
    const lag = (partition: number): string =>
      `signalbox_consumer_lag{consumer="${group}",topic="${prefix}.patient.created",partition="${partition}"} 0`;
    const metrics = await waitFor(
      async () => {
        const text = await registry.metrics();
        return text.includes(lag(0)) && text.includes(lag(1)) && text;
      },
      { what: 'both partitions to be done' },
    );
    const lines = metrics.split('\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        `signalbox_consumer_events_total{${labels},outcome="processed"} 2`,
        `signalbox_consumer_events_total{${labels},outcome="duplicate"} 1`,
        `signalbox_consumer_events_total{${labels},outcome="dead_letter"} 1`,
        `signalbox_consumer_retries_total{${labels},reason="failed"} 1`,
        `signalbox_consumer_waiting_partitions{consumer="${group}"} 0`,
      ]),
    );
    // Each message, and each attempt by itself, once: two attempts, an event, its copy, and what is no event.
    expect(lines).toContainEqual(expect.stringMatching(/^signalbox_consumer_event_seconds_count\{.*\} 5$/));
  });

  test('a consumer waits for topics that are missing and says so', async () => {
    const prefix = uniqueName('late').replaceAll('.', '-');
    const topic = topicOf(prefix, 'patient.created');
    const { seen, handlers } = recording();
    const started = await startConsumer(prefix, handlers);
    const waiting = await waitFor(
      async () => {
        const { checks } = await checkReadiness(started.consumer.readiness);
        return Object.values(checks).find(({ ok, detail }) => !ok && detail?.includes(topic));
      },
      { what: 'readiness to name the topic' },
    );
    expect(waiting.detail).toContain('Kafka has no topic');
    made.push(topic);
    await createTopics({ topic });
    await send(prefix, patientCreated());
    await waitFor(() => seen.length === 1, { what: 'the first event' });
  });

  test('handlers that take longer than the session keep their partition and are not repeated', async () => {
    const prefix = await newPrefix();
    await send(prefix, patientCreated());
    const { seen, handlers } = recording(() => new Promise((resolve) => setTimeout(resolve, 9_000)));
    const { group, log } = await startConsumer(prefix, handlers, { sessionTimeoutMs: 6_000 });
    await waitFor(async () => (await processedBy(group)).length === 1, { what: 'the slow handler' });
    await waitFor(async () => (await committedLag(group, topicOf(prefix, 'patient.created'))) === 0n, {
      what: 'its offset to be committed',
    });
    expect(seen).toHaveLength(1);
    expect(log.entries().filter((entry) => entry['msg'] === 'joined the group')).toHaveLength(1);
  });

  test('stopping finishes the message in hand, commits it and leaves the rest to the next start', async () => {
    const prefix = await newPrefix();
    const events = [patientCreated(), patientCreated(), patientCreated()];
    await send(prefix, ...events);
    const steps = new EventEmitter();
    const { seen, handlers } = recording(async () => {
      steps.emit('in hand');
      await once(steps, 'go on');
    });
    const inHand = once(steps, 'in hand');
    const { consumer, group } = await startConsumer(prefix, handlers);
    await inHand;
    const stopped = consumer.stop();
    steps.emit('go on');
    await stopped;
    expect(seen).toEqual([events[0]?.event_id]);
    expect(await processedBy(group)).toEqual([events[0]?.event_id]);
    expect(await committedLag(group, topicOf(prefix, 'patient.created'))).toBe(2n);
    const members = await withAdmin((admin) => admin.describeGroups([group]));
    expect(members.groups[0]?.members).toEqual([]);
  });

  test('members that come and go in mid-batch give every event exactly one effect', async () => {
    const prefix = await newPrefix({ partitions: 4 });
    const events = Array.from({ length: 400 }, () => patientCreated());
    await send(prefix, ...events);
    const group = uniqueName('crowd');
    const handlers: Handlers = {
      'patient.created': async ({ event_id }, { tx }) => {
        await tx.patient.create({
          data: { name: group, email: `${randomUUID()}@example.com`, clinicalNotes: event_id },
        });
        await tx.$executeRaw`SELECT pg_sleep(0.01)`;
      },
    };
    const effects = (): Promise<{ clinicalNotes: string | null }[]> =>
      prisma.patient.findMany({ where: { name: group }, select: { clinicalNotes: true } });
    const first = await startConsumer(prefix, handlers, { group });
    await waitFor(async () => (await effects()).length > 20, { what: 'the first member to be in mid-batch' });
    await startConsumer(prefix, handlers, { group });
    await waitFor(async () => (await effects()).length > 100, { what: 'both to work' });
    await startConsumer(prefix, handlers, { group });
    await first.consumer.stop();
    await waitFor(async () => (await effects()).length >= 400, { what: 'all effects', deadlineMs: 60_000 });
    await waitFor(async () => (await committedLag(group, topicOf(prefix, 'patient.created'))) === 0n, {
      what: 'all offsets to be committed',
    });
    const ids = (await effects()).map((row) => row.clinicalNotes);
    expect(ids).toHaveLength(400);
    expect(new Set(ids)).toEqual(new Set(events.map((event) => event.event_id)));
  });

  test('while the database is away messages wait for as long as it takes, and none becomes a dead letter', async () => {
    const prefix = await newPrefix({ partitions: 2 });
    const url = new URL(database.url);
    const proxy = await startTcpProxy({ port: Number(url.port) });
    url.port = String(proxy.port);
    const away = createPrismaClient({
      databaseUrl: url.href,
      poolSize: 4,
      applicationName: 'consumer',
      logger: silentLogger(),
    });
    const events = Array.from({ length: 40 }, () => patientCreated());
    await send(prefix, ...events);
    let broken = false;
    const { handlers } = recording(async () => {
      if (broken) return;
      broken = true;
      proxy.refuse();
      proxy.cut();
    });
    const { group, registry } = await startConsumer(prefix, handlers, {
      database: away,
      retry: { retryLimit: 1, retryMaxMs: 200 },
    });
    await waitFor(async () => ownRetries(await registry.metrics()) > 6, { what: 'many attempts in vain' });
    expect(await processedBy(group)).toEqual([]);
    proxy.accept();
    await waitFor(async () => (await processedBy(group)).length === 40, { what: 'all events' });
    expect(await readAll(deadLetterTopic(prefix))).toEqual([]);
    await Promise.all(consumers.splice(0).map((consumer) => consumer.stop()));
    await away.$disconnect();
    await proxy.close();
  });

  test('the audit log holds one row per event', async () => {
    const prefix = await newPrefix();
    const event = patientCreated({ sequence: '9007199254740993' });
    await send(prefix, event, event);
    const { group } = await startConsumer(prefix, {
      'patient.created': auditLog['patient.created'] ?? (async () => undefined),
    });
    await waitFor(async () => (await committedLag(group, topicOf(prefix, 'patient.created'))) === 0n, {
      what: 'both deliveries',
    });
    expect(await prisma.auditEntry.findMany({ where: { eventId: event.event_id } })).toMatchObject([
      {
        eventType: 'patient.created',
        aggregateType: 'patient',
        aggregateId: event.metadata.aggregate_id,
        sequence: 9_007_199_254_740_993n,
        actor: 'account-1',
        correlationId: 'correlation-1',
        occurredAt: new Date(event.timestamp),
        data: event.data,
      },
    ]);
  });
});
