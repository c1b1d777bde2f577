/** What tests need of a broker beside the code under test: names of their own, topics, and everything that a topic holds. */
import { randomBytes } from 'node:crypto';
import { ConfigResourceTypes, Kafka, logLevel, type Admin, type Consumer, type IHeaders } from 'kafkajs';
import { errorTypes } from '../../src/kafka/errorTypes';
import { fromSetup, variables } from './environment';
import { waitFor } from './waitFor';

export interface ReceivedMessage {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  /** Milliseconds since 1970, as a decimal string. */
  readonly timestamp: string;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** `host:port` of each broker that the tests run against. */
export function kafkaBrokers(): string[] {
  return fromSetup(variables.kafkaBrokers).split(',');
}

/** A name that no other test uses, fit for topics, groups and client ids. */
export function uniqueName(prefix: string): string {
  return `${prefix}.${randomBytes(6).toString('hex')}`;
}

/** A client of the tests' own; it stays quiet. */
export function testKafka(): Kafka {
  return new Kafka({
    clientId: 'signalbox-tests',
    brokers: kafkaBrokers(),
    logLevel: logLevel.NOTHING,
    retry: { retries: 10, initialRetryTime: 50, maxRetryTime: 1_000 },
  });
}

/**
 * An admin client that waits for the topics which it creates, and for the settings which it gives them. A real
 * cluster answers a moment before all of it has heard of them; kafkajs's own wait fails there.
 */
export function testAdmin(): Admin {
  const admin = testKafka().admin();
  return {
    ...admin,
    createTopics: async (request) => {
      const created = await admin.createTopics({ ...request, waitForLeaders: false });
      if (created && !request.validateOnly)
        await haveLeaders(
          admin,
          request.topics.map(({ topic }) => topic),
        );
      return created;
    },
    alterConfigs: async (request) => {
      const answer = await admin.alterConfigs(request);
      if (!request.validateOnly)
        for (const { name, configEntries } of request.resources)
          await settingsBecome(
            name,
            Object.fromEntries(configEntries.map(({ name, value }) => [name, value])),
          );
      return answer;
    },
  };
}

/** The settings of a topic, as the broker has them that a new client happens to ask. */
export async function settingsOf(topic: string): Promise<Record<string, string>> {
  const { resources } = await withAdmin((admin) =>
    admin.describeConfigs({
      resources: [{ type: ConfigResourceTypes.TOPIC, name: topic }],
      includeSynonyms: false,
    }),
  );
  const entries = resources[0]?.configEntries ?? [];
  return Object.fromEntries(entries.map(({ configName, configValue }) => [configName, configValue]));
}

/** Waits until the topic has these settings, whichever broker is asked. */
export async function settingsBecome(topic: string, wanted: Readonly<Record<string, string>>): Promise<void> {
  // A client asks the broker that it takes for the controller, which a cluster names at random.
  const looks = kafkaBrokers().length === 1 ? 1 : 3 * kafkaBrokers().length;
  let seen: Record<string, string> = {};
  const shown = async (): Promise<boolean> => {
    for (let look = 0; look < looks; look++) {
      seen = await settingsOf(topic);
      if (!Object.entries(wanted).every(([name, value]) => seen[name] === value)) return false;
    }
    return true;
  };
  const told = (): string =>
    Object.keys(wanted)
      .map((name) => `${name}=${seen[name]}`)
      .join(', ');
  await waitFor(shown, { what: () => `${topic} to have ${JSON.stringify(wanted)} (it has ${told()})` });
}

async function haveLeaders(admin: Admin, names: readonly string[]): Promise<void> {
  const led = async (): Promise<boolean> => {
    const existing = new Set(await admin.listTopics());
    if (!names.every((name) => existing.has(name))) return false;
    try {
      // Answered by the leaders themselves: a broker may be named as one before it knows of it. One after the other:
      // kafkajs forgets topics that it is asked for at the same time.
      for (const name of names) await admin.fetchTopicOffsets(name);
      return true;
    } catch (error) {
      if (errorTypes(error).some((type) => notYet.includes(type))) return false;
      throw error;
    }
  };
  await waitFor(led, { what: () => `leaders of the topics ${names.join(', ')}` });
}

const notYet = ['UNKNOWN_TOPIC_OR_PARTITION', 'LEADER_NOT_AVAILABLE', 'NOT_LEADER_FOR_PARTITION'];

/** Creates topics and waits until each of their partitions has a leader. */
export async function createTopics(...topics: { topic: string; partitions?: number }[]): Promise<void> {
  await withAdmin(async (admin) => {
    await admin.createTopics({
      topics: topics.map(({ topic, partitions = 1 }) => ({
        topic,
        numPartitions: partitions,
        replicationFactor: 1,
      })),
    });
  });
}

/** Deletes those of the topics that exist, and waits until they are gone. */
export async function deleteTopics(...topics: string[]): Promise<void> {
  await withAdmin(async (admin) => {
    const existing = new Set(await admin.listTopics());
    const present = topics.filter((topic) => existing.has(topic));
    if (present.length === 0) return;
    await admin.deleteTopics({ topics: present });
    // A real cluster hears of it a moment after it has answered.
    const gone = async (): Promise<boolean> => {
      const left = new Set(await admin.listTopics());
      return !present.some((topic) => left.has(topic));
    };
    await waitFor(gone, { what: () => `the topics ${present.join(', ')} to be gone` });
  });
}

/** Runs `use` with a connected admin client. */
export async function withAdmin<T>(use: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = testAdmin();
  await admin.connect();
  try {
    return await use(admin);
  } finally {
    await admin.disconnect();
  }
}

export interface ReadOptions {
  readonly topic: string;
  readonly from?: 'beginning';
  /** Called with all messages so far, in the order of their arrival; at first with none. */
  readonly until: (messages: readonly ReceivedMessage[]) => boolean;
  readonly deadlineMs?: number;
}

/** Reads the topic from its beginning until `until` is content, and returns all that was read by then. */
export async function readTopic({
  topic,
  until,
  deadlineMs = 60_000,
}: ReadOptions): Promise<ReceivedMessage[]> {
  const messages: ReceivedMessage[] = [];
  if (until(messages)) return messages;
  let crash: Error | undefined;
  const consumer = testKafka().consumer({
    groupId: uniqueName('reader'),
    maxWaitTimeInMs: 100,
    retry: { retries: 10 },
  });
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    crash = payload.error;
  });
  try {
    await collect(consumer, topic, messages);
    await waitFor(
      () => {
        if (crash !== undefined) throw crash;
        return until(messages);
      },
      { deadlineMs, what: () => `enough messages in ${topic} (got ${messages.length})` },
    );
    return [...messages];
  } finally {
    await consumer.disconnect();
  }
}

/** Everything that the topic holds now. */
export async function readAll(topic: string, deadlineMs?: number): Promise<ReceivedMessage[]> {
  const offsets = await withAdmin((admin) => admin.fetchTopicOffsets(topic));
  const wanted = offsets.filter(({ low, high }) => BigInt(high) > BigInt(low));
  return readTopic({
    topic,
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
    until: (messages) =>
      wanted.every(({ partition, high }) =>
        messages.some(
          (message) => message.partition === partition && BigInt(message.offset) >= BigInt(high) - 1n,
        ),
      ),
  });
}

async function collect(consumer: Consumer, topic: string, into: ReceivedMessage[]): Promise<void> {
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ partition, message }) => {
      const { offset, timestamp, key, value, headers } = message;
      into.push({
        topic,
        partition,
        offset,
        timestamp,
        key: key?.toString() ?? null,
        value: value?.toString() ?? null,
        headers: plainHeaders(headers),
      });
    },
  });
}

function plainHeaders(headers: IHeaders = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}
