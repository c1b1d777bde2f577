/** The logic of each alert, by promtool's own tests: it fires when it should, and is silent when all is well. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { findProgram } from '../../dev/monitoring/debian';
import { alertNames, deployDirectory, rulesFile } from '../../dev/monitoring/expressions';

const run = promisify(execFile);

/** Series of a quarter of an hour, one value a minute: `5x15` stays, `0+60x15` grows by a minute each minute. */
type Series = Readonly<Record<string, string>>;

interface Case {
  readonly broken: Series;
  readonly well: Series;
}

const bucket = (le: string): string =>
  `http_request_duration_seconds_bucket{route="/api/v1/patients",le="${le}"}`;
const requests = (status: string): string =>
  `http_request_duration_seconds_count{route="/api/v1/patients",status="${status}"}`;
const lag = 'signalbox_consumer_lag_seconds{consumer="audit-log",topic="t",partition="0"}';
const done = 'signalbox_consumer_events_total{consumer="audit-log",event_type="e",outcome="processed"}';

const cases: Readonly<Record<string, Case>> = {
  SignalboxProgramDown: {
    broken: { 'up{job="relay",instance="relay:8001"}': '0x15' },
    well: { 'up{job="relay",instance="relay:8001"}': '1x15', 'up{job="kafka-jmx",instance="k"}': '0x15' },
  },
  SignalboxDatabaseUnreadable: {
    broken: {
      'signalbox_outbox_readable{job="api"}': '0x15',
      'signalbox_outbox_readable{job="relay"}': '0x15',
    },
    // One whose pool is used up says nothing of the database.
    well: {
      'signalbox_outbox_readable{job="api"}': '0x15',
      'signalbox_outbox_readable{job="relay"}': '1x15',
    },
  },
  SignalboxTriggersNotInOrder: {
    broken: {
      'signalbox_capture_triggers_ok{engine="trigger",job="api"}': '1x15',
      'signalbox_capture_triggers_ok{engine="trigger",job="consumers"}': '0x15',
    },
    well: { 'signalbox_capture_triggers_ok{engine="trigger",job="api"}': '1x15' },
  },
  SignalboxRelayMissing: {
    broken: { 'signalbox_outbox_relays{job="api"}': '0x15' },
    well: { 'signalbox_outbox_relays{job="api"}': '1x15' },
  },
  SignalboxOutboxStuck: {
    broken: { 'signalbox_outbox_oldest_seconds{job="api"}': '0+60x15' },
    well: { 'signalbox_outbox_oldest_seconds{job="api"}': '0 59 2 58 3 57 1 40 2 50 3 59 1 2 59 3' },
  },
  SignalboxRelayWithoutKafka: {
    broken: {
      'signalbox_relay_kafka_connected{instance="a"}': '1x15',
      'signalbox_relay_kafka_connected{instance="b"}': '0x15',
    },
    well: { 'signalbox_relay_kafka_connected{instance="a"}': '1x15' },
  },
  SignalboxTopicUnusable: {
    broken: {
      'signalbox_relay_topic_usable{topic="a"}': '1x15',
      'signalbox_consumer_topic_usable{topic="a",consumer="c"}': '0x15',
    },
    well: {
      'signalbox_relay_topic_usable{topic="a"}': '1x15',
      'signalbox_consumer_topic_usable{topic="a",consumer="c"}': '1x15',
    },
  },
  SignalboxLanesWithoutOwner: {
    broken: { 'signalbox_outbox_lanes_unowned{job="api"}': '3x15' },
    // Lanes change hands in a deployment.
    well: { 'signalbox_outbox_lanes_unowned{job="api"}': '0x5 16 0x9' },
  },
  SignalboxEventsParked: {
    broken: { 'signalbox_outbox_parked{job="relay"}': '1x15' },
    well: { 'signalbox_outbox_parked{job="relay"}': '0x15' },
  },
  SignalboxConsumerLag: {
    broken: { [lag]: '90x15', [done]: '0+100x15' },
    well: { [lag]: '5x15', [done]: '0+100x15' },
  },
  SignalboxConsumerStandsStill: {
    broken: { [lag]: '0+60x15', [done]: '7x15' },
    // Behind, and at work.
    well: { [lag]: '0+60x15', [done]: '0+100x15' },
  },
  SignalboxConsumerWithoutKafka: {
    broken: { 'signalbox_consumer_kafka_connected{consumer="a",instance="x"}': '0x15' },
    well: {
      'signalbox_consumer_kafka_connected{consumer="a",instance="x"}': '0x15',
      'signalbox_consumer_kafka_connected{consumer="a",instance="y"}': '1x15',
    },
  },
  SignalboxDeadLettersWaiting: {
    broken: { 'signalbox_dead_letters_waiting{instance="x"}': '2x15' },
    well: { 'signalbox_dead_letters_waiting{instance="x"}': '0x15' },
  },
  SignalboxPostponedTooOld: {
    broken: { 'signalbox_consumer_postponed_oldest_seconds{consumer="a"}': '3500+60x15' },
    well: { 'signalbox_consumer_postponed_oldest_seconds{consumer="a"}': '1200x15' },
  },
  SignalboxApiErrors: {
    broken: { [requests('200')]: '0+90x15', [requests('503')]: '0+10x15' },
    well: { [requests('200')]: '0+99x15', [requests('503')]: '0+1x15', [requests('404')]: '0+50x15' },
  },
  SignalboxApiSlow: {
    broken: { [bucket('0.5')]: '0+50x15', [bucket('2.5')]: '0+100x15', [bucket('+Inf')]: '0+100x15' },
    well: { [bucket('0.5')]: '0+99x15', [bucket('2.5')]: '0+100x15', [bucket('+Inf')]: '0+100x15' },
  },
  SignalboxApiRefusesRequests: {
    broken: { 'http_requests_refused_total{reason="too_many",instance="a"}': '0+5x15' },
    well: {
      'http_requests_refused_total{reason="too_many",instance="a"}': '5x15',
      'http_requests_refused_total{reason="client_left",instance="a"}': '0+5x15',
    },
  },
  SignalboxApiPoolExhausted: {
    broken: { 'http_requests_waiting{instance="a"}': '3x15' },
    well: { 'http_requests_waiting{instance="a"}': '0 3 0 2 0 1 0 5 0 3 0 3 0 3 0 2' },
  },
  PostgresReplicationSlotHoldsWal: {
    broken: { 'pg_replication_slots_pg_wal_lsn_diff{slot_name="a"}': '2e9x15' },
    well: { 'pg_replication_slots_pg_wal_lsn_diff{slot_name="a"}': '2e6x15' },
  },
  KafkaPartitionsUnderReplicated: {
    broken: { 'kafka_server_replicamanager_underreplicatedpartitions{instance="a"}': '4x15' },
    well: { 'kafka_server_replicamanager_underreplicatedpartitions{instance="a"}': '0x15' },
  },
  KafkaPartitionsUnderMinIsr: {
    broken: { 'kafka_server_replicamanager_underminisrpartitioncount{instance="a"}': '4x15' },
    well: { 'kafka_server_replicamanager_underminisrpartitioncount{instance="a"}': '0x15' },
  },
  KafkaPartitionsOffline: {
    broken: { 'kafka_controller_kafkacontroller_offlinepartitionscount{instance="a"}': '4x15' },
    well: { 'kafka_controller_kafkacontroller_offlinepartitionscount{instance="a"}': '0x15' },
  },
  SignalboxExporterDown: {
    broken: { 'up{job="postgres-exporter",instance="a"}': '0x15' },
    well: { 'up{job="postgres-exporter",instance="a"}': '1x15' },
  },
};

let promtool: string;
let directory: string;
beforeAll(async () => {
  promtool = await findProgram('prometheus', 'promtool');
  directory = await mkdtemp(path.join(tmpdir(), 'signalbox-rules-'));
}, 600_000);
afterAll(() => rm(directory, { recursive: true, force: true }));

/** Whether the alert is to fire at the end of the series. */
async function expectAlert(alert: string, series: Series, firing: boolean): Promise<void> {
  const file = path.join(directory, `${alert}-${firing}.yml`);
  const expected = {
    expr: `count(ALERTS{alertname="${alert}",alertstate="firing"}) > bool 0`,
    eval_time: '14m',
  };
  const test = {
    interval: '1m',
    input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
    promql_expr_test: [{ ...expected, exp_samples: firing ? [{ labels: '{}', value: 1 }] : [] }],
  };
  await writeFile(file, stringify({ rule_files: [rulesFile], evaluation_interval: '1m', tests: [test] }));
  await run(promtool, ['test', 'rules', file]);
}

test('promtool finds nothing wrong with the rules and the configuration', async () => {
  await run(promtool, ['check', 'rules', '--lint=all', '--lint-fatal', rulesFile]);
  const configuration = path.join(deployDirectory, 'prometheus/prometheus.yml');
  await run(promtool, ['check', 'config', '--lint=all', '--lint-fatal', configuration]);
});

test('every alert has a case', () => {
  expect(Object.keys(cases).sort()).toEqual(alertNames().sort());
});

test.each(Object.entries(cases))(
  '%s fires when it should and not when all is well',
  async (alert, { broken, well }) => {
    await expectAlert(alert, broken, true);
    await expectAlert(alert, well, false);
  },
);
