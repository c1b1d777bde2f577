/*
 * The one Kafka that an outbox is published to: a cluster, and the prefix of the topics there. Relays share the lanes,
 * so two of them with different targets would split the events between both, in silence.
 */
import { UserError } from '../../shared/lifecycle';
import type { Queryable } from './openBatch';

export interface Target {
  /** As Kafka names its cluster. */
  readonly clusterId: string;
  readonly topicPrefix: string;
}

export interface StoredTarget extends Target {
  readonly setAt: Date;
}

const columns = `cluster_id AS "clusterId", topic_prefix AS "topicPrefix", set_at AS "setAt"`;

/** The outbox's target; undefined before the first relay has reached Kafka. */
export async function readTarget(database: Queryable): Promise<StoredTarget | undefined> {
  const { rows } = await database.query<StoredTarget>(`SELECT ${columns} FROM signalbox.target`);
  return rows[0];
}

/**
 * Makes this the outbox's target if it has none.
 * @throws UserError when it has another one.
 */
export async function claimTarget(database: Queryable, target: Target): Promise<void> {
  const { clusterId, topicPrefix } = target;
  await database.query(
    'INSERT INTO signalbox.target (cluster_id, topic_prefix) VALUES ($1, $2) ON CONFLICT DO NOTHING',
    [clusterId, topicPrefix],
  );
  await checkTarget(database, target);
}

/** @throws UserError when the outbox has another target. */
export async function checkTarget(database: Queryable, target: Target): Promise<void> {
  const known = await readTarget(database);
  if (!known || isSameTarget(known, target)) return;
  throw new UserError(
    `This outbox is published to ${describeTarget(known)}, but the KAFKA_* variables name ${describeTarget(target)}: its events would be split between the two. Correct the variables; or stop all relays and change the target with "npx signalbox ops outbox target --execute".`,
  );
}

export function isSameTarget(one: Target, other: Target): boolean {
  return one.clusterId === other.clusterId && one.topicPrefix === other.topicPrefix;
}

export function describeTarget({ clusterId, topicPrefix }: Target): string {
  return `the topics "${topicPrefix}.*" of the Kafka cluster ${clusterId}`;
}

/* A relay that was only asleep is shut out by the new epochs: what it still settles changes nothing. */
const changeSql = `
  WITH alive AS (
    SELECT instance FROM signalbox.relay WHERE expires_at > clock_timestamp() ORDER BY instance
  ), changed AS (
    INSERT INTO signalbox.target (cluster_id, topic_prefix) SELECT $1, $2 WHERE NOT EXISTS (SELECT FROM alive)
    ON CONFLICT ("only") DO UPDATE
      SET cluster_id = excluded.cluster_id, topic_prefix = excluded.topic_prefix, set_at = now()
    RETURNING 1
  ), freed AS (
    UPDATE signalbox.lane SET owner = NULL, epoch = epoch + 1 WHERE EXISTS (SELECT FROM changed)
  )
  SELECT ARRAY(SELECT instance FROM alive) AS alive`;

/**
 * Gives the outbox another target. What was published stays where it is; what waits goes to the new one.
 * @throws UserError while a relay is alive.
 */
export async function changeTarget(database: Queryable, { clusterId, topicPrefix }: Target): Promise<void> {
  const { rows } = await database.query<{ alive: string[] }>(changeSql, [clusterId, topicPrefix]);
  const alive = rows[0]?.alive ?? [];
  if (alive.length === 0) return;
  throw new UserError(
    `The target cannot be changed while relays run: ${alive.join(', ')}. Stop them; one that was killed counts until its lease has ended.`,
  );
}
