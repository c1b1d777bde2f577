import type { Catalogue } from '../../events/catalogue';
import { declareTopics } from '../../kafka/topics/declaredTopics';
import { findTroubles } from '../../kafka/topics/findTroubles';
import { groupPositions, groupStates, listGroups } from '../../kafka/groups/groupStates';
import { describeDifference, topicDifferences } from '../../kafka/topics/topicDifferences';
import { type TopicState, topicStates } from '../../kafka/topics/topicStates';
import { describeTopicTrouble } from '../../kafka/topics/topicTrouble';
import { consumerOf } from '../groups/find';
import type { Admin } from '../groups/find';
import type { OpsKafkaConfig } from '../kafka';
import { topicRemedy } from '../topicRemedy';
import { type Check, fail, type Finding, ok, warn } from './finding';

export interface KafkaChecksOptions {
  readonly catalogue: Catalogue;
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

async function topics({ catalogue, admin, config }: KafkaChecksOptions): Promise<Finding[]> {
  const check = 'topics';
  const all = declareTopics(catalogue, config);
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
      const remedy = 'See "npx signalbox ops topics apply".';
      return found(check, `${topic.topic} ${describeDifference(difference)}`, remedy);
    }),
  );
  const refused = unusable.map((trouble) =>
    fail(check, describeTopicTrouble(trouble, config.KAFKA_SASL_USERNAME), topicRemedy(trouble.state)),
  );
  const found = [...states.values()];
  const findings = [...refused, ...differing, ...replicaFindings(found), ...found.flatMap(safetyFindings)];
  return findings.length > 0
    ? together(
        findings,
        all.map(({ topic }) => topic),
      )
    : [ok(check, `all ${declared.length} are as declared`)];
}

/** Partitions without a leader, or with replicas that lag behind: one finding for each broker that is missing. */
function replicaFindings(topics: readonly TopicState[]): Finding[] {
  const partitions = topics.flatMap(({ topic, partitions }) =>
    partitions.map((state) => ({ ...state, place: `${topic}/${state.partition}` })),
  );
  const leaderless = partitions.filter(({ leader }) => leader < 0).map(({ place }) => place);
  const lagging = new Map<number, string[]>();
  for (const { place, replicas, inSync } of partitions) {
    for (const broker of replicas.filter((id) => !inSync.includes(id))) {
      lagging.set(broker, [...(lagging.get(broker) ?? []), place]);
    }
  }
  return [
    ...(leaderless.length === 0
      ? []
      : [fail('topics', `${some(leaderless)} without a leader`, 'Bring their brokers back.')]),
    ...[...lagging].map(([broker, places]) =>
      warn('topics', `broker ${broker} is not in sync for ${some(places)}`, `Look at broker ${broker}.`),
    ),
  ];
}

/** What a topic's settings say about losing events, or not taking any, when a broker is lost. */
function safetyFindings({ topic, partitions, settings }: TopicState): Finding[] {
  const replicas = Math.min(...partitions.map((state) => state.replicas.length));
  const required = Number(settings.get('min.insync.replicas')?.value ?? Number.NaN);
  const inSync = Math.min(...partitions.map((state) => state.inSync.length));
  if (inSync < required) {
    const detail = `${topic} has ${inSync} replicas in sync and min.insync.replicas ${required}: it takes no events`;
    return [fail('topics', detail, 'Bring its brokers back.')];
  }
  if (replicas > 1 && required >= replicas) {
    const detail = `${topic} has ${replicas} replicas and min.insync.replicas ${required}`;
    return [warn('topics', detail, 'Without any one broker it takes no events: set it to one less.')];
  }
  if (replicas > 2 && required === 1) {
    const detail = `${topic} has ${replicas} replicas and min.insync.replicas 1`;
    return [warn('topics', detail, 'A lost broker may lose acknowledged events: set it to 2.')];
  }
  return [];
}

/** What is wrong with many topics in the same way is said once. */
function together(findings: readonly Finding[], names: readonly string[]): Finding[] {
  const groups = new Map<string, { readonly first: Finding; count: number }>();
  for (const finding of findings) {
    const [topic] = names
      .filter((name) => finding.detail.includes(name))
      .toSorted((a, b) => b.length - a.length);
    const cause = topic === undefined ? finding.detail : finding.detail.replaceAll(topic, '*');
    const key = [finding.status, cause, finding.remedy].join('\n');
    const known = groups.get(key);
    if (known) known.count += 1;
    else groups.set(key, { first: finding, count: 1 });
  }
  return [...groups.values()].map(({ first, count }) =>
    count === 1 ? first : { ...first, detail: `${first.detail} (and so for ${count - 1} more topics)` },
  );
}

/** `a/0, a/1, a/2 and 9 more`. */
function some(places: readonly string[]): string {
  const shown = places.slice(0, 3).join(', ');
  return places.length > 3 ? `${shown} and ${places.length - 3} more` : shown;
}

async function consumers({ admin, config, maxLag }: KafkaChecksOptions): Promise<Finding[]> {
  const check = 'consumers';
  const ours = (await listGroups(admin)).filter((group) => consumerOf(group, config) !== undefined);
  if (ours.length === 0) {
    return [
      warn(check, 'no group of ours has joined yet', 'Start the consumers with "npx signalbox consumers".'),
    ];
  }
  return Promise.all(
    (await groupStates(admin, ours)).map(async ({ group, members }) => {
      const lag = (await groupPositions(admin, group)).reduce((sum, position) => sum + position.lag, 0n);
      const detail = `${group} has ${members.length === 0 ? 'no member' : `${members.length} members`} and a lag of ${lag}`;
      if (members.length === 0) {
        const remedy =
          'Start it with "npx signalbox consumers", or remove the group if it is not needed any more.';
        return lag > 0n ? fail(check, detail, remedy) : warn(check, detail, remedy);
      }
      if (lag <= maxLag) return ok(check, detail);
      return warn(
        check,
        detail,
        'See "npx signalbox ops groups describe"; docs/operations.md says what to do.',
      );
    }),
  );
}

/** What the cluster's size says about the configuration; `down` are brokers that hold replicas and do not answer. */
export function brokerFindings(
  { brokers, down }: { readonly brokers: number; readonly down: readonly number[] },
  config: OpsKafkaConfig,
): Finding[] {
  const check = 'kafka';
  const replicas = config.KAFKA_REPLICATION_FACTOR;
  const found = `${config.KAFKA_BOOTSTRAP_SERVERS.join(',')} answers; ${brokers} broker${brokers === 1 ? '' : 's'}`;
  if (down.length > 0) {
    const detail = `${found}; down: ${down.map((id) => `broker ${id}`).join(', ')}`;
    return [warn(check, detail, 'Bring it back: the next loss may stop topics.')];
  }
  if (replicas > brokers) {
    const detail = `${found}, but KAFKA_REPLICATION_FACTOR is ${replicas}`;
    return [fail(check, detail, 'Topics cannot be created like this: lower it, or add brokers.')];
  }
  if (replicas === 1 && brokers > 1) {
    const detail = `${found}, but KAFKA_REPLICATION_FACTOR is 1`;
    return [warn(check, detail, 'A lost broker loses events: raise it to 3.')];
  }
  return [ok(check, found)];
}
