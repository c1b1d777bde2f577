import { readBacklog } from '../../outbox/log/backlog';
import { refuseForeignCursors } from '../../outbox/log/guard';
import { readRelays } from '../../outbox/log/laneStatus';
import { readWaitingForTopic, stateOf } from '../../outbox/log/parkedEvents';
import { readLanes } from '../../outbox/log/readLanes';
import { UserError } from '../../shared/lifecycle';
import { pendingMigrations } from '../../shared/migrate/migrate';
import { counted } from '../output/counted';
import { roughly } from '../output/duration';
import { topicRemedy } from '../topicRemedy';
import { replicationSlots } from './replicationSlots';
import { type Check, fail, type Finding, ok, warn } from './finding';
import { timeZone } from './timeZone';
import { triggers, type TriggersCheckOptions } from './triggers';

export interface DatabaseChecksOptions extends TriggersCheckOptions {
  /** False: nobody publishes, by intention. */
  readonly kafkaEnabled: boolean;
  /** An event that waits for longer than this, in seconds, is a warning. */
  readonly maxAgeSeconds: number;
}

/** What is looked at in a database that answers. */
export function databaseChecks(options: DatabaseChecksOptions): Check[] {
  return [
    { name: 'migrations', run: () => migrations(options) },
    { name: 'triggers', run: () => triggers(options) },
    { name: 'cursors', run: () => cursors(options) },
    { name: 'relays', run: () => relays(options) },
    { name: 'outbox', run: () => outbox(options) },
    { name: 'clock', run: () => clock(options) },
    { name: 'replication slots', run: () => replicationSlots(options.pool) },
    { name: 'time zone', run: () => timeZone(options.pool) },
  ];
}

async function migrations({ databaseUrl, migrations: directory }: DatabaseChecksOptions): Promise<Finding[]> {
  const check = 'migrations';
  try {
    const pending = await pendingMigrations({ databaseUrl, directory });
    if (pending.length === 0) return [ok(check, 'all are applied')];
    return [fail(check, `not applied: ${pending.join(', ')}`, 'Run "npx signalbox migrate".')];
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return [fail(check, error.message, 'Fix it, and run "npx signalbox migrate".')];
  }
}

async function cursors({ pool }: DatabaseChecksOptions): Promise<Finding[]> {
  const check = 'cursors';
  try {
    await refuseForeignCursors(pool, await readLanes(pool));
    return [ok(check, 'belong to this database cluster')];
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return [fail(check, error.message, 'Stop all relays and run "npx signalbox ops outbox repair".')];
  }
}

async function relays({ pool, kafkaEnabled }: DatabaseChecksOptions): Promise<Finding[]> {
  const check = 'relays';
  const rows = await readRelays(pool);
  if (!kafkaEnabled) return [ok(check, 'none is needed: KAFKA_ENABLED is false')];
  if (rows.length === 0) {
    return [fail(check, 'no relay is alive: nothing is published', 'Start one with "npx signalbox relay".')];
  }
  const lanes = await readLanes(pool);
  const free = lanes.filter(({ owned, closed }) => !owned && !closed).map(({ lane }) => lane);
  const alive = `alive: ${rows.map(({ instance }) => instance).join(', ')}`;
  const standBy = rows
    .filter(({ standsBy }) => standsBy)
    .map(({ instance }) =>
      warn(check, `${instance} stands by: Kafka does not answer it`, 'Look at its log and its network.'),
    );
  if (free.length === 0) {
    const owned = `all ${lanes.filter(({ closed }) => !closed).length} lanes are owned`;
    return [ok(check, `${alive}; ${owned}`), ...standBy];
  }
  return [
    ...standBy,
    warn(
      check,
      `${alive}; lanes without an owner: ${free.join(', ')}`,
      'A relay takes them within seconds; look at its log if they stay free.',
    ),
  ];
}

async function outbox({ pool, kafkaEnabled, maxAgeSeconds }: DatabaseChecksOptions): Promise<Finding[]> {
  const check = 'outbox';
  const { rows, oldestSeconds, parked, held } = await readBacklog(pool);
  const waitingForTopics = await readWaitingForTopic(pool);
  const waiting = `${counted(rows, 'event')} wait${rows === 1 ? 's' : ''}, the oldest for ${roughly(oldestSeconds)}`;
  const late = kafkaEnabled && oldestSeconds > maxAgeSeconds;
  return [
    rows === 0
      ? ok(check, 'nothing waits to be published')
      : late
        ? warn(check, waiting, 'Look at the relay: its /readyz and its log say what it waits for.')
        : ok(check, waiting),
    ...waitingForTopics.map(({ eventType, events, reason, detail }) =>
      fail(
        check,
        `${counted(events, 'event')} of ${eventType} held: ${detail}`,
        topicRemedy(stateOf(reason)),
      ),
    ),
    ...(parked > 0
      ? [
          warn(
            check,
            `${counted(parked, 'event')} parked, ${counted(held, 'event')} held behind`,
            'See "npx signalbox ops outbox parked list".',
          ),
        ]
      : []),
  ];
}

/** Leases and cursors use the database's clock alone; timestamps in events and logs do not. */
const tolerableSkewMs = 2_000;

async function clock({ pool }: DatabaseChecksOptions): Promise<Finding[]> {
  const check = 'clock';
  const before = Date.now();
  const { rows } = await pool.query<{ now: Date }>('SELECT clock_timestamp() AS now');
  const middle = (before + Date.now()) / 2;
  const skewMs = Math.round((rows[0]?.now.getTime() ?? middle) - middle);
  const detail = `the database's differs from this machine's by ${Math.abs(skewMs)} ms`;
  if (Math.abs(skewMs) <= tolerableSkewMs) return [ok(check, detail)];
  return [warn(check, detail, 'Have both follow a time server (NTP).')];
}
