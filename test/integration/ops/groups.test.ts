import { type Consumer, Partitioners } from 'kafkajs';
import type { Pool } from 'pg';
import { declaredTopics } from '../../../src/kafka/topics/declaredTopics';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { patientCreated } from '../../support/events';
import { createTopics, deleteTopics, testKafka, withAdmin } from '../../support/kafka';
import { waitFor } from '../../support/waitFor';
import { poolOf } from '../relay/harness';
import { createdTopic, kafkaEnv, newPrefix, ops } from './support';
import { catalogue } from '../../../src/healthcore/catalogue';

let database: TestDatabase;
let pool: Pool;
let prefix: string;
let group: string;
let topic: string;
let env: Record<string, string>;
/** Young enough not to expire on a real cluster. */
const firstMs = Date.now() - 600_000;
const events = Array.from({ length: 6 }, () => patientCreated());

beforeAll(async () => {
  database = await createTestDatabase();
  pool = poolOf(database.url);
});
beforeEach(async () => {
  prefix = newPrefix();
  group = `${prefix}.audit-log`;
  topic = createdTopic(prefix);
  env = { ...kafkaEnv(prefix), DATABASE_URL: database.url };
  await createTopics({ topic, partitions: 2 });
  await publish();
  await put({ 0: 3, 1: 2 });
});
afterEach(() => deleteTopics(...declaredTopics(catalogue, prefix)));
afterAll(async () => {
  await pool.end();
  await database.drop();
});

/** Four messages in partition 0, two in partition 1, a minute apart. */
async function publish(): Promise<void> {
  const producer = testKafka().producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  await producer.send({
    topic,
    messages: events.map((event, index) => ({
      partition: index < 4 ? 0 : 1,
      key: event.metadata.aggregate_id,
      value: JSON.stringify(event),
      timestamp: String(firstMs + index * 60_000),
    })),
  });
  await producer.disconnect();
}

const put = (offsets: Record<number, number>) =>
  withAdmin((admin) =>
    admin.setOffsets({
      groupId: group,
      topic,
      partitions: Object.entries(offsets).map(([partition, offset]) => ({
        partition: Number(partition),
        offset: String(offset),
      })),
    }),
  );

const committed = async (): Promise<string[]> => {
  const [found] = await withAdmin((admin) => admin.fetchOffsets({ groupId: group, topics: [topic] }));
  return (found?.partitions ?? []).sort((a, b) => a.partition - b.partition).map(({ offset }) => offset);
};

async function withRunningConsumer<T>(work: (consumer: Consumer) => Promise<T>): Promise<T> {
  const consumer = testKafka().consumer({ groupId: group, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topic });
  await consumer.run({ autoCommit: false, eachMessage: async () => undefined });
  const stable = () => withAdmin(async (admin) => (await admin.describeGroups([group])).groups[0]);
  try {
    await waitFor(async () => (await stable())?.state === 'Stable', { what: 'a stable group' });
    return await work(consumer);
  } finally {
    await consumer.disconnect();
  }
}

it('lists groups and says how far they are, by group and by topic', async () => {
  const { groups } = (await ops(env, 'groups', 'list', '--json')).json() as { groups: { group: string }[] };
  expect(groups.find((line) => line.group === group)).toMatchObject({ state: 'Empty', members: 0, lag: '1' });
  const lag = await ops(env, 'groups', 'lag', '--json');
  expect(lag.json()).toEqual({ lag: [{ group, topic, lag: '1', partitions: 2 }], exceeding: [] });
});

it('exits with 2 for a script when a group has more to read than it may', async () => {
  expect((await ops(env, 'groups', 'lag', '--max', '1')).code).toBe(0);
  const exceeding = await ops(env, 'groups', 'lag', 'audit-log', '--max', '0');
  expect(exceeding.code).toBe(2);
  expect(exceeding.output).toContain(`${group} has more than 0 messages to read.`);
});

it('describes members with their partitions, and refuses a group that nobody knows', async () => {
  await withRunningConsumer(async () => {
    const described = await ops(env, 'groups', 'describe', 'audit-log', '--json');
    expect(described.json()).toMatchObject({
      groups: [
        {
          group,
          state: 'Stable',
          members: [{ clientId: 'signalbox-tests', partitions: { [topic]: [0, 1] } }],
          positions: [
            { topic, partition: 0, committed: '3', high: '4', lag: '1' },
            { topic, partition: 1, committed: '2', high: '2', lag: '0' },
          ],
        },
      ],
    });
  });
  const unknown = await ops(env, 'groups', 'describe', 'nobody');
  expect(unknown.code).toBe(1);
  expect(unknown.output).toContain('There is no consumer group "nobody"');
});

describe('groups reset', () => {
  it('says what it would do, and does it with --execute', async () => {
    const dry = await ops(env, 'groups', 'reset', 'audit-log', '--to-earliest', '--all-topics');
    expect(dry.code).toBe(0);
    expect(dry.output).toContain('Nothing was changed; add --execute');
    expect(await committed()).toEqual(['3', '2']);
    const real = await ops(
      env,
      'groups',
      'reset',
      group,
      '--to-earliest',
      '--all-topics',
      '--execute',
      '--json',
    );
    expect(real.code).toBe(0);
    expect(real.json()).toMatchObject({
      executed: true,
      partitions: [
        { partition: 0, from: '3', to: '0', again: '3', skipped: '0' },
        { partition: 1, from: '2', to: '0', again: '2', skipped: '0' },
      ],
    });
    expect(await committed()).toEqual(['0', '0']);
  });

  it('goes to the end, to a time, or to an offset, which it keeps within what there is', async () => {
    const reset = (...args: string[]) => ops(env, 'groups', 'reset', 'audit-log', '--execute', ...args);
    await reset('--to-latest', '--topic', 'patient.created');
    expect(await committed()).toEqual(['4', '2']);
    await reset('--to-datetime', new Date(firstMs + 120_000).toISOString(), '--all-topics');
    expect(await committed()).toEqual(['2', '0']);
    await reset('--to-offset', '1', '--topic', 'patient.created:0');
    expect(await committed()).toEqual(['1', '0']);
    await reset('--to-offset', '99', '--all-topics');
    expect(await committed()).toEqual(['4', '2']);
  });

  it('is refused while the group is running', async () => {
    await withRunningConsumer(async () => {
      const refused = await ops(
        env,
        'groups',
        'reset',
        'audit-log',
        '--to-earliest',
        '--all-topics',
        '--execute',
      );
      expect(refused.code).toBe(1);
      expect(refused.output).toContain('is running (signalbox-tests@');
    });
    expect(await committed()).toEqual(['3', '2']);
  });

  it('refuses what it cannot understand or what would harm, and changes nothing', async () => {
    const cases: [string[], string][] = [
      [['--all-topics'], 'Say where to'],
      [['--to-earliest'], 'Say what to reset'],
      [['--to-earliest', '--to-latest', '--all-topics'], 'cannot be used with'],
      [['--to-offset', '-5', '--all-topics'], 'is not an offset'],
      [['--to-datetime', 'noon', '--all-topics'], '--to-datetime'],
      [['--to-earliest', '--topic', 'nothing.here'], 'There is nothing to reset'],
      [['--to-earliest', '--all-topics', '--force-reprocess', 'email-sender'], 'that is "audit-log"'],
    ];
    await Promise.all(
      cases.map(async ([args, message]) => {
        const refused = await ops(env, 'groups', 'reset', 'audit-log', '--execute', ...args);
        expect(refused.code).toBe(1);
        expect(refused.output).toContain(message);
      }),
    );
    expect(await committed()).toEqual(['3', '2']);
  });

  it('has the inbox of the named consumer forget what is read again, and nothing else', async () => {
    const rows = events.flatMap(({ event_id }) => [
      ['audit-log', event_id],
      ['other', event_id],
    ]);
    for (const row of rows) {
      await pool.query('INSERT INTO signalbox.inbox (consumer, event_id) VALUES ($1, $2)', row);
    }
    const known = async (consumer: string): Promise<string[]> => {
      const result = await pool.query<{ event_id: string }>(
        'SELECT event_id FROM signalbox.inbox WHERE consumer = $1',
        [consumer],
      );
      return result.rows.map(({ event_id }) => event_id).sort();
    };
    const all = events.map(({ event_id }) => event_id);
    const args = ['groups', 'reset', 'audit-log', '--to-offset', '1', '--topic', 'patient.created:0'];
    const dry = await ops(env, ...args, '--force-reprocess', 'audit-log', '--json');
    expect(dry.json()).toMatchObject({ executed: false, known: { consumer: 'audit-log', events: 2 } });
    expect(await known('audit-log')).toEqual([...all].sort());
    expect((await ops(env, ...args, '--force-reprocess', 'audit-log', '--execute')).code).toBe(0);
    // Offsets 1 and 2 of partition 0.
    expect(await known('audit-log')).toEqual(all.filter((_id, index) => index !== 1 && index !== 2).sort());
    expect(await known('other')).toEqual([...all].sort());
    expect(await committed()).toEqual(['1', '2']);
    await pool.query('DELETE FROM signalbox.inbox');
  });
});
