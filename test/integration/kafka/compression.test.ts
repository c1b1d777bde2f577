/** Batches of every codec, and batches that nobody can read, through the consumer, the console and the ops commands. */
import { createKafka } from '../../../src/kafka/kafkajs/client';
import { compressionType } from '../../../src/kafka/kafkajs/compression/codecs';
import { GroupConsumer } from '../../../src/kafka/groups/groupConsumer';
import type { GroupConsumerOptions } from '../../../src/kafka/groups/groupConsumerOptions';
import { readRange } from '../../../src/kafka/groups/readRange';
import { createLogger } from '../../../src/shared/logger';
import batches from '../../fixtures/compressedBatches.json';
import { createTopics, deleteTopics, kafkaBrokers, uniqueName, withAdmin } from '../../support/kafka';
import { silentLogger } from '../../support/logger';
import { waitFor } from '../../support/waitFor';
import { makeBatch } from '../conformance/support/batches';
import { closeRawClients, connectRaw } from '../conformance/support/rawClient';
import { produce } from '../conformance/support/requests';

const onRealKafka = process.env['SIGNALBOX_BROKER'] === 'kafka';
const made: string[] = [];
const consumers: GroupConsumer[] = [];

afterEach(async () => {
  await Promise.all(consumers.splice(0).map((consumer) => consumer.stop()));
  closeRawClients();
});
afterAll(() => deleteTopics(...made));

async function newTopic(partitions = 1): Promise<string> {
  const topic = uniqueName('compression');
  await createTopics({ topic, partitions });
  made.push(topic);
  return topic;
}

/** `host:port` of the broker that leads the topic's only partition. */
async function leaderOf(topic: string): Promise<string> {
  return withAdmin(async (admin) => {
    const { brokers } = await admin.describeCluster();
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    const leader = brokers.find(({ nodeId }) => nodeId === topics[0]?.partitions[0]?.leader);
    return `${leader?.host}:${leader?.port}`;
  });
}

const client = (): ReturnType<typeof createKafka> =>
  createKafka(
    { KAFKA_BOOTSTRAP_SERVERS: kafkaBrokers(), KAFKA_CLIENT_ID: 'test', KAFKA_SSL: false },
    silentLogger(),
  );

async function start(
  topics: string[],
  handle: GroupConsumerOptions['handle'],
  more: Partial<GroupConsumerOptions> = {},
): Promise<GroupConsumer> {
  const consumer = new GroupConsumer({
    kafka: client(),
    group: uniqueName('group'),
    topics,
    handle,
    logger: silentLogger(),
    fromBeginning: true,
    sessionTimeoutMs: 10_000,
    partitionsAtOnce: 4,
    retryMaxMs: 300,
    ...more,
  });
  consumers.push(consumer);
  await consumer.start();
  return consumer;
}

/** A logger and the lines of its output that are errors. */
function errorLog(): { logger: GroupConsumerOptions['logger']; errors: { msg: string }[] } {
  const errors: { msg: string }[] = [];
  const write = (line: string): void => void errors.push(JSON.parse(line) as { msg: string });
  return { logger: createLogger({ name: 'test', level: 'error' }, { write }), errors };
}

test('a consumer reads every codec, as others write it and as we do', async () => {
  const topic = await newTopic();
  const raw = await connectRaw(await leaderOf(topic));
  let written = 0;
  for (const base64 of Object.values(batches)) {
    const batch = Buffer.from(base64, 'base64');
    // Kafka takes zstd from version 7 of Produce on, which this raw client does not speak.
    if (onRealKafka && (batch.readInt16BE(21) & 7) === 4) continue;
    // Those of an idempotent producer name its id, which this broker has not given to anyone.
    if (batch.readBigInt64BE(43) >= 0n) continue;
    expect(await produce(raw, topic, batch)).toMatchObject({ error: 0 });
    written += batch.readInt32BE(57);
  }
  const producer = client().producer();
  await producer.connect();
  for (const codec of ['gzip', 'snappy', 'lz4'] as const) {
    await producer.sendBatch({
      compression: compressionType(codec),
      topicMessages: [{ topic, messages: [{ value: codec }] }],
    });
  }
  await producer.disconnect();
  const seen: string[] = [];
  await start([topic], async ({ value }) => {
    seen.push(String(value));
    return { kind: 'done' };
  });
  await waitFor(() => seen.length >= written + 3, { what: () => `all messages, got ${seen.length}` });
  expect(seen.slice(written)).toEqual(['gzip', 'snappy', 'lz4']);
});

// A real broker looks into what it is sent, and would not store these.
if (!onRealKafka) {
  test('a batch that cannot be read stops its partition with one line; all others go on in the same session', async () => {
    const [bad, good] = [await newTopic(2), await newTopic()];
    const raw = await connectRaw();
    await produce(raw, bad, makeBatch({ values: ['before 1', 'before 2'] }));
    await produce(raw, bad, makeBatch({ values: ['lost 1', 'lost 2', 'lost 3'], codec: 4 }));
    await produce(raw, bad, makeBatch({ values: ['after'] }));
    const seen: string[] = [];
    let joins = 0;
    const { logger, errors } = errorLog();
    const consumer = await start(
      [bad, good],
      async ({ value }) => {
        seen.push(String(value));
        return { kind: 'done' };
      },
      { logger, onAssigned: () => void (joins += 1) },
    );
    await waitFor(() => consumer.unreadable().length > 0, { what: () => 'the partition to be held' });
    await produce(raw, bad, makeBatch({ values: ['neighbour'] }), { partition: 1 });
    await produce(raw, good, makeBatch({ values: ['elsewhere'] }));
    await waitFor(() => seen.length >= 4, { what: () => `what lies elsewhere, got ${seen.join()}` });
    expect(seen.toSorted()).toEqual(['before 1', 'before 2', 'elsewhere', 'neighbour']);
    expect(joins).toBe(1);
    expect(errors).toEqual([
      expect.objectContaining({ topic: bad, partition: 0, offset: '2', codec: 'zstd' }) as unknown,
    ]);
    expect(errors[0]?.msg).toContain(`${bad}/0 cannot be read from offset 2 to 4: compression zstd`);
    expect(errors[0]?.msg).toContain(`--topic ${bad}:0 --to-offset 5`);
    expect(consumer.unreadable()).toEqual([expect.stringContaining(`${bad}/0`) as unknown]);
    expect(consumer.status().state).toBe('running');
  });

  test('its offsets are committed up to the batch, and a later session stops there again', async () => {
    const topic = await newTopic();
    const raw = await connectRaw();
    await produce(raw, topic, makeBatch({ values: ['one', 'two'] }));
    await produce(raw, topic, makeBatch({ values: ['lost'], codec: 2 }));
    const group = uniqueName('group');
    const seen: string[] = [];
    for (const _round of [1, 2]) {
      const consumer = await start(
        [topic],
        async ({ value }) => {
          seen.push(String(value));
          return { kind: 'done' };
        },
        { group },
      );
      await waitFor(() => consumer.unreadable().length > 0, { what: () => 'the partition to be held' });
      await consumer.stop();
    }
    expect(seen).toEqual(['one', 'two']);
  });

  test('a message that has to wait before the batch is offered again first', async () => {
    const topic = await newTopic();
    const raw = await connectRaw();
    await produce(raw, topic, makeBatch({ values: ['one'] }));
    await produce(raw, topic, makeBatch({ values: ['lost'], codec: 3 }));
    let tries = 0;
    const consumer = await start([topic], async () => {
      tries += 1;
      return tries < 3 ? { kind: 'again', afterMs: 20 } : { kind: 'done' };
    });
    await waitFor(() => consumer.unreadable().length > 0, { what: () => 'the partition to be held' });
    expect(tries).toBe(3);
  });

  test('reading a stretch that holds such a batch ends with its place, and one that does not is read', async () => {
    const topic = await newTopic();
    const raw = await connectRaw();
    await produce(raw, topic, makeBatch({ values: ['one', 'two'] }));
    await produce(raw, topic, makeBatch({ values: ['lost'], codec: 6 }));
    const read = async (to: bigint): Promise<string[]> => {
      const values: string[] = [];
      await readRange({
        kafka: client(),
        logger: silentLogger(),
        ranges: [{ topic, partition: 0, from: 0n, to }],
        onMessage: ({ value }) => void values.push(String(value)),
      });
      return values;
    };
    expect(await read(2n)).toEqual(['one', 'two']);
    await expect(read(3n)).rejects.toThrow(
      `${topic}/0 cannot be read from offset 2 to 2: compression unknown codec 6, this version cannot read it.`,
    );
  });
}
