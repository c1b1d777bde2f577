/** Gathers the evidence, by plain SQL and a plain Kafka client. */
import { readFile } from 'node:fs/promises';
import { Kafka, logLevel } from 'kafkajs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JournalLine } from '../writer/journal';
import { query } from '../world/database';
import {
  type Change,
  type Effect,
  type Evidence,
  keyOf,
  type OutboxRow,
  type PublishedEvent,
  type TableRow,
} from './evidence';

export interface Sources {
  readonly databaseUrl: string;
  readonly brokers: string;
  readonly topicPrefix: string;
  readonly journals: readonly string[];
}

const changesSql = `
  SELECT aggregate_type || ' ' || aggregate_id AS aggregate, version, event_type, mark, tag FROM chaos.change`;

/** The mark says which version of its row an event tells of, in the event's own words. */
const outboxSql = `
  SELECT event_id AS "eventId", aggregate_type || ' ' || aggregate_id AS aggregate, event_type,
    CASE WHEN event_type IN ('patient.created', 'patient.updated') THEN data->>'phone'
      WHEN event_type IN ('appointment.booked', 'appointment.rescheduled') THEN split_part(data->>'practitioner', '/', 2)
      WHEN event_type = 'email.send' THEN data->>'subject' ELSE '' END AS mark
  FROM signalbox.outbox`;

const tablesSql = `
  SELECT 'patient ' || id AS aggregate, phone::int AS version FROM patients
  UNION ALL SELECT 'appointment ' || id, split_part(practitioner, '/', 2)::int FROM appointments`;

export async function collect({ databaseUrl, brokers, topicPrefix, journals }: Sources): Promise<Evidence> {
  type Marked = { aggregate: string; event_type: string; mark: string };
  const keyed = <R extends Marked>(row: R): R & { key: string } => ({
    ...row,
    key: keyOf(row.aggregate, row.event_type, row.mark),
  });
  const changes = await query<Omit<Change, 'key'> & Marked>(databaseUrl, changesSql);
  const outbox = await query<Omit<OutboxRow, 'key'> & Marked>(databaseUrl, outboxSql);
  const effects = await query<Effect>(
    databaseUrl,
    'SELECT event_id AS "eventId", topic FROM chaos.effect ORDER BY id',
  );
  const tables = await query<TableRow>(databaseUrl, tablesSql);
  const [parked] = await query<{ count: number }>(
    databaseUrl,
    'SELECT count(*)::int AS count FROM signalbox.parked_event',
  );
  const { published, deadLetters } = await readTopics(brokers, topicPrefix);
  return {
    changes: changes.map(keyed),
    outbox: outbox.map(keyed),
    effects,
    tables,
    transactions: (await Promise.all(journals.map(readJournal))).flat(),
    published,
    deadLetters,
    parked: parked?.count ?? 0,
  };
}

async function readJournal(file: string): Promise<JournalLine[]> {
  const text = await readFile(file, 'utf8');
  return text
    .split('\n')
    .filter((line) => line.endsWith('}'))
    .map((line) => JSON.parse(line) as JournalLine);
}

interface Envelope {
  readonly event_id: string;
  readonly event_type: string;
  readonly data: { readonly phone?: string; readonly practitioner?: string; readonly subject?: string };
  readonly metadata: {
    readonly aggregate_type: string;
    readonly aggregate_id: string;
    readonly sequence: string;
  };
}

function markOf({ event_type, data }: Envelope): string {
  switch (event_type) {
    case 'patient.created':
    case 'patient.updated':
      return data.phone ?? '';
    case 'appointment.booked':
    case 'appointment.rescheduled':
      return data.practitioner?.split('/')[1] ?? '';
    case 'email.send':
      return data.subject ?? '';
    default:
      return '';
  }
}

const readWithinMs = 180_000;

/** Every topic of the prefix, from its beginning to its present end. */
async function readTopics(
  brokers: string,
  prefix: string,
): Promise<Pick<Evidence, 'published' | 'deadLetters'>> {
  const kafka = new Kafka({
    brokers: brokers.split(','),
    logLevel: logLevel.NOTHING,
    retry: { retries: 20, maxRetryTime: 1_000 },
  });
  const ends = await endsOf(kafka, prefix);
  const deadTopic = `${prefix}.dead_letter_queue`;
  const published: PublishedEvent[] = [];
  let deadLetters = 0;
  const consumer = kafka.consumer({ groupId: `judge.${process.pid}`, maxWaitTimeInMs: 100 });
  await consumer.connect();
  try {
    await consumer.subscribe({
      topics: [...new Set([...ends.keys()].map((place) => place.split(' ')[0] ?? ''))],
      fromBeginning: true,
    });
    await consumer.run({
      autoCommit: false,
      eachMessage: async ({ topic, partition, message: { offset, value } }) => {
        if (topic === deadTopic) deadLetters += 1;
        else published.push(eventOf(topic, partition, offset, String(value)));
        const place = `${topic} ${partition}`;
        if (BigInt(offset) + 1n >= (ends.get(place) ?? 0n)) ends.delete(place);
      },
    });
    const deadline = Date.now() + readWithinMs;
    while (ends.size > 0) {
      if (Date.now() > deadline)
        throw new Error(`The topics could not be read: ${[...ends.keys()].join(', ')}`);
      await sleep(100);
    }
    return { published, deadLetters };
  } finally {
    await consumer.disconnect();
  }
}

function eventOf(topic: string, partition: number, offset: string, value: string): PublishedEvent {
  const event = JSON.parse(value) as Envelope;
  const { aggregate_type, aggregate_id, sequence } = event.metadata;
  const aggregate = `${aggregate_type} ${aggregate_id}`;
  return {
    key: keyOf(aggregate, event.event_type, markOf(event)),
    eventId: event.event_id,
    aggregate,
    topic,
    partition,
    offset: BigInt(offset),
    sequence: BigInt(sequence),
  };
}

/** The end of each partition that holds something. */
async function endsOf(kafka: Kafka, prefix: string): Promise<Map<string, bigint>> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const topics = (await admin.listTopics()).filter((topic) => topic.startsWith(`${prefix}.`));
    const ends = new Map<string, bigint>();
    for (const topic of topics) {
      for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
        if (BigInt(high) > BigInt(low)) ends.set(`${topic} ${partition}`, BigInt(high));
      }
    }
    return ends;
  } finally {
    await admin.disconnect();
  }
}
