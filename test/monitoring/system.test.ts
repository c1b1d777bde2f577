/**
 * A real Prometheus watches the whole system. Every expression of the rules and dashboards returns data; each alert is
 * silent, fires when the system is broken, and falls silent when it is repaired.
 *
 * Not here: kafka-exporter, which Debian has no package of: its panels are left out.
 */
import { Client } from 'pg';
import { alertNames, allExpressions, type Expression, metricNames } from '../../dev/monitoring/expressions';
import { kafkaExporter } from '../../dev/monitoring/exporters';
import { topicOf } from '../../src/kafka/topics/topicNames';
import { patientMarker } from '../support/events';
import { deleteTopics, testKafka, withAdmin } from '../support/kafka';
import { waitFor } from '../support/waitFor';
import { startSecondBroker } from './support/secondBroker';
import { newPatient, type Stack, startStack } from './support/stack';

let stack: Stack;
let sql: Client;
/** Alerts that were seen to fire, and to be silent before and after. */
const seen = new Set<string>();

beforeAll(async () => {
  stack = await startStack();
  sql = new Client({ connectionString: stack.database.url });
  sql.on('error', () => undefined);
  await sql.connect();
}, 600_000);
afterAll(async () => {
  await sql?.end().catch(() => undefined);
  await stack?.stop();
}, 60_000);

/** Resolves to the status. */
async function createPatient(): Promise<number> {
  const answer = await fetch(`${stack.api.url}/api/v1/patients`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: newPatient(),
  });
  await answer.arrayBuffer();
  return answer.status;
}

/** Sees alerts be silent, breaks something, sees them fire, repairs it, and sees them fall silent. */
async function breakAndRepair(
  alerts: readonly string[],
  breakIt: () => Promise<unknown>,
  repair: () => Promise<unknown>,
): Promise<void> {
  const { prometheus } = stack;
  await prometheus.isSilent(...alerts);
  await breakIt();
  try {
    await prometheus.fires(...alerts);
  } finally {
    await repair();
  }
  await prometheus.isSilent(...alerts);
  for (const alert of alerts) seen.add(alert);
}

/** Holds a lock on a table until the returned function is called. */
async function lock(table: string): Promise<() => Promise<void>> {
  const client = new Client({ connectionString: stack.database.url });
  await client.connect();
  await client.query(`BEGIN; LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`);
  return () => client.end();
}

test('every expression of every rule and panel returns data, and no alert fires', async () => {
  const { prometheus } = stack;
  await sql.query(`SELECT pg_create_physical_replication_slot('watched', true)`);
  for (let count = 0; count < 20; count += 1) expect(await createPatient()).toBe(201);
  const needsKafkaExporter = ({ expr }: Expression): boolean =>
    metricNames(expr).some((name) => kafkaExporter.includes(name));
  const ours = allExpressions().filter((expression) => !needsKafkaExporter(expression));
  // Without data, but Prometheus understands them.
  for (const { expr } of allExpressions().filter(needsKafkaExporter))
    await prometheus.query(expr.replaceAll('$__rate_interval', '10s'));
  expect(ours.length).toBeGreaterThan(100);
  let empty: string[] = [];
  const allAnswered = async (): Promise<boolean> => {
    await createPatient();
    const answered = await Promise.all(
      ours.map(async ({ where, expr }) => {
        // A condition that does not hold returns nothing: asked with `bool`, it returns 0 or 1.
        const asked = expr.replaceAll(/ (==|>|<) /g, ' $1 bool ').replaceAll('$__rate_interval', '10s');
        return (await prometheus.query(asked)).length > 0 ? undefined : `${where}: ${expr}`;
      }),
    );
    empty = answered.filter((text) => text !== undefined);
    return empty.length === 0;
  };
  await waitFor(allAnswered, {
    what: () => `data for\n${empty.join('\n')}`,
    deadlineMs: 90_000,
    intervalMs: 1_000,
  });
  await prometheus.isSilent();
});

test('nothing of a patient is in any series', async () => {
  const answer = await fetch(`${stack.prometheus.url}/api/v1/series?match[]={__name__=~".%2B"}`);
  const text = await answer.text();
  expect(text).toContain('signalbox_consumer_event_age_seconds_bucket');
  expect(text).not.toMatch(/example\.com|Monitored|555 0100/);
  expect(text).not.toContain(patientMarker);
});

test('events, letters, triggers, topics and slots that are not as they should be', async () => {
  const { prometheus, topicPrefix, ops } = stack;
  const late = topicOf(topicPrefix, 'patient.deleted');
  await breakAndRepair(
    [
      'SignalboxEventsParked',
      'SignalboxDeadLettersWaiting',
      'SignalboxPostponedTooOld',
      'SignalboxTriggersNotInOrder',
      'SignalboxTopicUnusable',
      'PostgresReplicationSlotHoldsWal',
    ],
    async () => {
      await sql.query(`INSERT INTO signalbox.outbox (lane, event_type, event_version, aggregate_type, aggregate_id, source, data)
        VALUES (signalbox.lane_of('x'), 'patient.unheard', '1.0', 'patient', 'x', 'test', '{}')`);
      await sql.query(`INSERT INTO signalbox.postponed_event (consumer, event_id, event_type, aggregate_type, aggregate_id,
          sequence, topic, partition, "offset", timestamp_ms, value, headers, due_at, postponed_at, attempts)
        VALUES ('audit-log', gen_random_uuid(), 'patient.created', 'patient', 'x', 1, 't', 0, 0, 0, '', '{}',
          now() + interval '1 day', now() - interval '2 hours', 1)`);
      await sql.query('ALTER TABLE patients DISABLE TRIGGER ALL');
      for (let segment = 0; segment < 3; segment += 1) {
        await sql.query(`SELECT pg_logical_emit_message(false, 'test', 'a')`);
        await sql.query('SELECT pg_switch_wal()');
      }
      await deleteTopics(late);
      const producer = testKafka().producer();
      await producer.connect();
      await producer.send({
        topic: topicOf(topicPrefix, 'patient.created'),
        messages: [{ value: 'no event' }],
      });
      await producer.disconnect();
    },
    async () => {
      await ops('outbox', 'parked', 'discard', '--all', '--execute');
      await ops('dlq', 'discard', '--all', '--execute');
      await sql.query('DELETE FROM signalbox.postponed_event');
      await sql.query('ALTER TABLE patients ENABLE TRIGGER ALL');
      await sql.query(`SELECT pg_drop_replication_slot('watched')`);
      await ops('topics', 'create');
    },
  );
  await prometheus.isSilent();
});

/** Has so many clients create patients, one after the other, until the returned function is called. */
function flood(clients: number): () => Promise<unknown> {
  const over = new AbortController();
  const keepAsking = async (): Promise<void> => {
    while (!over.signal.aborted) await createPatient();
  };
  const ended = Promise.all(Array.from({ length: clients }, keepAsking));
  return () => {
    over.abort();
    return ended;
  };
}

test('a consumer whose table is locked, and an API whose table is locked', async () => {
  const ends: (() => Promise<unknown>)[] = [];
  const end = (): Promise<unknown> => Promise.all(ends.splice(0).map((one) => one()));
  // Two requests are at work, four may wait: five clients are slow to be answered, and none is refused.
  await breakAndRepair(
    [
      'SignalboxConsumerLag',
      'SignalboxConsumerStandsStill',
      'SignalboxApiErrors',
      'SignalboxApiSlow',
      'SignalboxApiPoolExhausted',
    ],
    async () => {
      ends.push(await lock('audit_log'));
      expect(await createPatient()).toBe(201);
      ends.push(await lock('patients'), flood(5));
    },
    end,
  );
  await breakAndRepair(
    ['SignalboxApiRefusesRequests'],
    async () => ends.push(await lock('patients'), flood(12)),
    end,
  );
});

test('no relay', async () => {
  await breakAndRepair(
    ['SignalboxProgramDown', 'SignalboxRelayMissing', 'SignalboxLanesWithoutOwner', 'SignalboxOutboxStuck'],
    async () => {
      await stack.relay.program.kill('SIGKILL');
      expect(await createPatient()).toBe(201);
    },
    () => stack.startRelay(),
  );
});

test('no database, as the programs see it', async () => {
  const server = new Client({ connectionString: stack.database.url.replace(/\/[^/]*$/, '/postgres') });
  await server.connect();
  const { name } = stack.database;
  try {
    await breakAndRepair(
      ['SignalboxDatabaseUnreadable'],
      async () => {
        await server.query(`ALTER DATABASE "${name}" ALLOW_CONNECTIONS false`);
        await server.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [
          name,
        ]);
      },
      () => server.query(`ALTER DATABASE "${name}" ALLOW_CONNECTIONS true`),
    );
  } finally {
    await server.end();
  }
});

test('no Kafka', async () => {
  await breakAndRepair(
    ['SignalboxRelayWithoutKafka', 'SignalboxConsumerWithoutKafka'],
    async () => {
      await stack.kafka.kill();
      expect(await createPatient()).toBe(201);
    },
    () => stack.kafka.restart(),
  );
});

test('a broker is lost that had replicas, and one partition for itself', async () => {
  const second = await startSecondBroker(stack.kafkaDirectory);
  const topics = [
    { topic: 'monitored-shared', replicaAssignment: [{ partition: 0, replicas: [1, 2] }] },
    { topic: 'monitored-alone', replicaAssignment: [{ partition: 0, replicas: [2] }] },
  ];
  const configEntries = [{ name: 'min.insync.replicas', value: '2' }];
  try {
    const created = topics.map((topic) => ({ ...topic, configEntries }));
    await withAdmin((admin) => admin.createTopics({ topics: created }));
    await breakAndRepair(
      ['KafkaPartitionsUnderReplicated', 'KafkaPartitionsUnderMinIsr', 'KafkaPartitionsOffline'],
      () => second.kill(),
      () => second.restart(),
    );
    await deleteTopics(...topics.map(({ topic }) => topic));
  } finally {
    await second.stop();
  }
});

test('no exporter; then every alert has been seen', async () => {
  await stack.prometheus.isSilent();
  await stack.postgresExporter.kill();
  await stack.prometheus.fires('SignalboxExporterDown');
  seen.add('SignalboxExporterDown');
  expect([...seen].sort()).toEqual(alertNames().sort());
});
