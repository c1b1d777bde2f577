import { meanBy, processLines, quantiles, rate, rateBy } from './expressions';
import { type Dashboard, lines, stat } from './panel';

const own = processLines('relay');

/** Is anything stuck, since when, and who publishes. */
export const outboxRelay: Dashboard = {
  name: 'outbox-relay',
  title: 'outbox and relay',
  description: 'What waits in the outbox, who publishes it, and how long that takes.',
  panels: [
    stat('Oldest waiting event', 's', 'Its age; 0 when none waits.', 'signalbox:outbox_oldest_seconds:max', {
      redFrom: 60,
    }),
    stat('Events waiting', 'short', 'Up to 10,000 of each lane.', 'signalbox:outbox_backlog:max'),
    stat('Relays alive', 'short', 'By their leases in the database.', 'max(signalbox_outbox_relays)', {
      redBelow: 1,
    }),
    stat(
      'Lanes without a relay',
      'short',
      'Their events are not published.',
      'max(signalbox_outbox_lanes_unowned)',
      { redFrom: 1 },
    ),
    stat('Parked events', 'short', 'Refused for their own fault.', 'max(signalbox_outbox_parked)', {
      redFrom: 1,
    }),
    stat(
      'Held events',
      'short',
      'Behind a parked event, or for a topic that cannot be used.',
      'max(signalbox_outbox_held)',
      { redFrom: 1 },
    ),
    lines(
      'Age of the oldest waiting event',
      's',
      'Grows by a second each second while nothing is published.',
      {
        oldest: 'signalbox:outbox_oldest_seconds:max',
      },
    ),
    lines('Events waiting', 'short', 'Up to 10,000 of each lane.', {
      waiting: 'signalbox:outbox_backlog:max',
      held: 'max(signalbox_outbox_held)',
      parked: 'max(signalbox_outbox_parked)',
    }),
    lines('Published events per second', 'short', 'Acknowledged by Kafka, by topic.', {
      '{{topic}}': rateBy('topic', 'signalbox_relay_events_total'),
    }),
    lines(
      'Age of an event at its publication',
      's',
      'From the append, just before the commit, to the acknowledgement.',
      {
        ...quantiles('signalbox_relay_event_seconds'),
      },
    ),
    lines('Steps of a look', 's', 'Mean: read and settle are Postgres, publish is Kafka.', {
      '{{step}}': meanBy('step', 'signalbox_relay_step_seconds'),
    }),
    lines('Failed attempts per second', 'short', 'By kind: retryable, topic, poison, fatal, database.', {
      '{{kind}}': `${rateBy('kind', 'signalbox_relay_errors_total')} or vector(0)`,
    }),
    lines('Kafka answers', 'short', '1 while the last exchange of a relay succeeded; relays that stand by.', {
      '{{instance}}': 'signalbox_relay_kafka_connected',
      'stands by: {{instance}}': 'signalbox_relay_stands_by',
    }),
    lines('Usable topics', 'short', '0 while a topic is missing, refused or cannot be written.', {
      '{{topic}}': 'min by (topic) (signalbox_relay_topic_usable)',
    }),
    lines('Lanes', 'short', 'By the relay that publishes them, and how many there are.', {
      '{{instance}}': 'signalbox_relay_lanes_owned',
      'all lanes': 'max(signalbox_outbox_lanes)',
    }),
    lines(
      'Lost leases per second',
      'short',
      'Lanes that another relay took while their owner believed to have them.',
      {
        '{{instance}}': rate('signalbox_relay_lease_losses_total'),
      },
    ),
    lines('Events set aside per second', 'short', 'By state and reason.', {
      '{{state}} {{reason}}': rateBy('state, reason', 'signalbox_relay_set_aside_total'),
    }),
    lines('Looks at the outbox per second', 'short', 'By what caused them.', {
      '{{cause}}': rateBy('cause', 'signalbox_relay_wake_ups_total'),
    }),
    lines('Published bytes per second', 'Bps', 'Before compression, by topic.', {
      '{{topic}}': rateBy('topic', 'signalbox_relay_bytes_total'),
    }),
    lines('Deleted events per second', 'short', 'Older than OUTBOX_RETENTION_MS.', {
      deleted: `sum(${rate('signalbox_outbox_deleted_total')})`,
    }),
    lines('WAL held by replication slots', 'bytes', '0 when there is no slot.', {
      '{{slot_name}}': 'max by (slot_name) (pg_replication_slots_pg_wal_lsn_diff) or vector(0)',
    }),
    lines('Database connections', 'short', 'By state, of all clients of the server.', {
      '{{state}}': 'sum by (state) (pg_stat_activity_count)',
    }),
    lines('CPU of the relays', 'percentunit', 'Share of a core.', own.cpu),
    lines('Memory of the relays', 'bytes', 'Resident.', own.memory),
  ],
};
