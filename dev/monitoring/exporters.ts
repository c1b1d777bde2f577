/* What rules and dashboards read of exporters that are not ours. The figures of our own programs are asked of themselves. */

/** danielqsj/kafka_exporter */
export const kafkaExporter = [
  'kafka_brokers',
  'kafka_topic_partition_current_offset',
  'kafka_topic_partition_under_replicated_partition',
  'kafka_consumergroup_lag',
  'kafka_consumergroup_members',
];

/** io.prometheus.jmx with deploy/kafka-jmx/config.yml */
export const jmxExporter = [
  'kafka_server_replicamanager_underreplicatedpartitions',
  'kafka_server_replicamanager_underminisrpartitioncount',
  'kafka_server_replicamanager_partitioncount',
  'kafka_controller_kafkacontroller_offlinepartitionscount',
  'kafka_controller_kafkacontroller_activecontrollercount',
  'kafka_server_brokertopicmetrics_messagesinpersec_total',
  'kafka_server_brokertopicmetrics_bytesinpersec_total',
  'kafka_server_brokertopicmetrics_bytesoutpersec_total',
  'kafka_server_brokertopicmetrics_failedproducerequestspersec_total',
  'kafka_server_brokertopicmetrics_failedfetchrequestspersec_total',
  'kafka_server_requesthandler_idle_ratio',
  'kafka_network_request_p99_milliseconds',
  'kafka_jvm_heap_used_bytes',
];

/** prometheus-community/postgres_exporter */
export const postgresExporter = ['pg_replication_slots_pg_wal_lsn_diff', 'pg_stat_activity_count'];

/** Prometheus itself. */
export const prometheus = ['up'];
