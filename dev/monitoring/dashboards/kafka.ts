import { rate, rateBy } from './expressions';
import { type Dashboard, lines, stat } from './panel';

const topicTotal = (name: string): string => rate(`kafka_server_brokertopicmetrics_${name}_total`);

/** The brokers, by the JMX exporter, and what groups have committed, by kafka-exporter. */
export const kafka: Dashboard = {
  name: 'kafka',
  title: 'Kafka',
  description:
    'Replicas, throughput and answer times of the brokers (JMX exporter), groups and topics (kafka-exporter).',
  panels: [
    stat('Brokers', 'short', 'That kafka-exporter sees.', 'max(kafka_brokers)', { redBelow: 1 }),
    stat(
      'Under-replicated partitions',
      'short',
      'A replica is missing.',
      'sum(kafka_server_replicamanager_underreplicatedpartitions)',
      { redFrom: 1 },
    ),
    stat(
      'Partitions that refuse writes',
      'short',
      'Fewer in sync than min.insync.replicas.',
      'sum(kafka_server_replicamanager_underminisrpartitioncount)',
      { redFrom: 1 },
    ),
    stat(
      'Partitions without a leader',
      'short',
      'Neither written nor read.',
      'sum(kafka_controller_kafkacontroller_offlinepartitionscount)',
      { redFrom: 1 },
    ),
    stat(
      'Active controllers',
      'short',
      'One of all brokers.',
      'sum(kafka_controller_kafkacontroller_activecontrollercount)',
      { redBelow: 1 },
    ),
    stat(
      'Partitions',
      'short',
      'Replicas on all brokers.',
      'sum(kafka_server_replicamanager_partitioncount)',
    ),
    lines('Messages per second', 'short', 'Written, by broker.', {
      '{{instance}}': topicTotal('messagesinpersec'),
    }),
    lines('Bytes per second', 'Bps', 'Written and read, over all brokers.', {
      in: `sum(${topicTotal('bytesinpersec')})`,
      out: `sum(${topicTotal('bytesoutpersec')})`,
    }),
    lines('Answer time', 'ms', '99th percentile of produce and fetch requests.', {
      '{{request}}': 'max by (request) (kafka_network_request_p99_milliseconds)',
    }),
    lines('Idle request handlers', 'percentunit', 'Below 0.3 a broker is overloaded.', {
      '{{instance}}': 'kafka_server_requesthandler_idle_ratio',
    }),
    lines('Failed requests per second', 'short', 'Produce and fetch, over all brokers.', {
      produce: `sum(${topicTotal('failedproducerequestspersec')})`,
      fetch: `sum(${topicTotal('failedfetchrequestspersec')})`,
    }),
    lines('Heap', 'bytes', 'Used, by broker.', { '{{instance}}': 'kafka_jvm_heap_used_bytes' }),
    lines(
      'Lag of groups',
      'short',
      'Messages between the committed offsets and the end, also of groups without a member.',
      {
        '{{consumergroup}}': 'sum by (consumergroup) (kafka_consumergroup_lag)',
      },
    ),
    lines('Members of groups', 'short', '0: no process reads.', {
      '{{consumergroup}}': 'sum by (consumergroup) (kafka_consumergroup_members)',
    }),
    lines('Growth of topics', 'short', 'Messages per second.', {
      '{{topic}}': rateBy('topic', 'kafka_topic_partition_current_offset'),
    }),
    lines('Partitions that lack a replica', 'short', 'By topic, as kafka-exporter sees it.', {
      '{{topic}}': 'sum by (topic) (kafka_topic_partition_under_replicated_partition)',
    }),
  ],
};
