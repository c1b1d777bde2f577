import { declareTopics } from '../../kafka/declaredTopics';
import { findTroubles } from '../../kafka/findTroubles';
import { groupPositions, groupStates, listGroups } from '../../kafka/groups';
import { describeDifference, topicDifferences } from '../../kafka/topicDifferences';
import { type TopicState, topicStates } from '../../kafka/topicStates';
import { describeTopicTrouble } from '../../kafka/topicTrouble';
import { consumerOf } from '../groups/find';
import type { Admin } from '../groups/find';
import type { OpsKafkaConfig } from '../kafka';
import { topicRemedy } from '../topicRemedy';
import { type Check, fail, type Finding, ok, warn } from './finding';

export interface KafkaChecksOptions {
  readonly admin: Admin;
  readonly config: OpsKafkaConfig;
  /** A group with more messages to read than this is a warning. */
  readonly maxLag: bigint;
}

/** What is looked at in a cluster that answers. */
export function kafkaChecks(options: KafkaChecksOptions): Check[] {
  return [
    { name: 'topics', run: () => topics(options) },
    { name: 'consumers', run: () => consumers(options) },
  ];
}

async function topics({ admin, config }: KafkaChecksOptions): Promise<Finding[]> {
  const check = 'topics';
  const all = declareTopics(config);
  const troubles = await findTroubles(
    admin,
    all.map(({ topic }) => topic),
  );
  // What is missing is a difference from what is declared; of the others nothing can be compared.
  const unusable = troubles.filter(({ state }) => state !== 'missing');
  const declared = all.filter(({ topic }) => !unusable.some((trouble) => trouble.topic === topic));
  const states = await topicStates(
    admin,
    declared.map(({ topic }) => topic),
  );
  const differing = declared.flatMap((topic) =>
    topicDifferences(topic, states.get(topic.topic)).map((difference) => {
      const found = difference.kind === 'missing' ? fail : warn;
      const remedy = 'See "npm run ops -- topics apply --dry-run".';
      return found(check, `${topic.topic} ${describeDifference(difference)}`, remedy);
    }),
  );
  const refused = unusable.map((trouble) =>
    fail(check, describeTopicTrouble(trouble, config.KAFKA_SASL_USERNAME), topicRemedy(trouble.state)),
  );
  const findings = [...refused, ...differing, ...[...states.values()].flatMap(replicaFindings)];
  return findings.length > 0 ? findings : [ok(check, `all ${declared.length} are as declared`)];
}

function replicaFindings({ topic, partitions }: TopicState): Finding[] {
  return partitions.flatMap(({ partition, leader, replicas, inSync }) => {
    const place = `${topic}/${partition}`;
    if (leader < 0) return [fail('topics', `${place} has no leader`, 'Bring its brokers back.')];
    if (inSync.length >= replicas.length) return [];
    const detail = `${place} has ${inSync.length} of ${replicas.length} replicas in sync`;
    return [warn('topics', detail, 'Look at the brokers that lag behind.')];
  });
}

async function consumers({ admin, config, maxLag }: KafkaChecksOptions): Promise<Finding[]> {
  const check = 'consumers';
  const ours = (await listGroups(admin)).filter((group) => consumerOf(group, config) !== undefined);
  if (ours.length === 0) {
    return [warn(check, 'no group of ours has joined yet', 'Start the consumers with "npm run consumers".')];
  }
  return Promise.all(
    (await groupStates(admin, ours)).map(async ({ group, members }) => {
      const lag = (await groupPositions(admin, group)).reduce((sum, position) => sum + position.lag, 0n);
      const detail = `${group} has ${members.length === 0 ? 'no member' : `${members.length} members`} and a lag of ${lag}`;
      if (members.length === 0) {
        const remedy = 'Start it with "npm run consumers", or remove the group if nobody needs it.';
        return lag > 0n ? fail(check, detail, remedy) : warn(check, detail, remedy);
      }
      if (lag <= maxLag) return ok(check, detail);
      return warn(check, detail, 'See "npm run ops -- groups describe"; docs/operations.md says what to do.');
    }),
  );
}

/** What the cluster's size says about the configuration. */
export function brokerFindings(brokers: number, config: OpsKafkaConfig): Finding[] {
  const check = 'kafka';
  const replicas = config.KAFKA_REPLICATION_FACTOR;
  const found = `${config.KAFKA_BOOTSTRAP_SERVERS.join(',')} answers; ${brokers} broker${brokers === 1 ? '' : 's'}`;
  if (replicas > brokers) {
    return [
      fail(
        check,
        `${found}, but KAFKA_REPLICATION_FACTOR is ${replicas}`,
        'Topics cannot be created like this: lower it, or add brokers.',
      ),
    ];
  }
  if (replicas === 1 && brokers > 1) {
    const detail = `${found}, but KAFKA_REPLICATION_FACTOR is 1`;
    return [warn(check, detail, 'A lost broker loses events: raise it to 3.')];
  }
  return [ok(check, found)];
}
