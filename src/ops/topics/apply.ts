import { addPartitions, alterSettings } from '../../kafka/topics/alterTopics';
import { type DeclaredTopic, declareTopics } from '../../kafka/topics/declaredTopics';
import {
  describeDifference,
  lossOf,
  type TopicDifference,
  topicDifferences,
} from '../../kafka/topics/topicDifferences';
import { topicPresence, type TopicPresence } from '../../kafka/topics/topicPresence';
import { createTopics } from '../../kafka/topics/topics';
import { type TopicState, topicStates } from '../../kafka/topics/topicStates';
import { withAdmin } from '../../kafka/withAdmin';
import type { Tools } from '../command';
import { exitCodes } from '../exitCodes';
import { withKafka } from '../kafka';
import { report } from '../output/report';

export interface ApplyOptions {
  readonly execute?: boolean;
  readonly allowDataLoss?: boolean;
  readonly addPartitions?: boolean;
  readonly json?: boolean;
}

/** One difference and what is done about it. */
interface Step {
  readonly topic: DeclaredTopic;
  readonly state: TopicState | undefined;
  readonly difference: TopicDifference;
  /** `left`: it takes a person. */
  readonly action: 'create' | 'set' | 'add partitions' | 'left';
  readonly note?: string;
  /** It was asked for and is not done. */
  readonly refused?: boolean;
}

/** What is done only when it is asked for, and what the environment says about it. */
interface Allowed {
  readonly grow: boolean;
  readonly loss: boolean;
  /** Whether the retention is asked for, not the default. */
  readonly retention: boolean;
}

/** `ops topics apply`: brings the cluster's topics in line with the declaration, as far as that harms nothing. */
export function applyTopics(tools: Tools, options: ApplyOptions): Promise<number> {
  const { execute = false, json = false } = options;
  const allowed: Allowed = {
    grow: options.addPartitions ?? false,
    loss: options.allowDataLoss ?? false,
    retention: Boolean(tools.environment['KAFKA_TOPIC_RETENTION_MS']),
  };
  return withKafka(tools, ({ catalogue, kafka, config }) =>
    withAdmin(kafka, async (admin) => {
      const declared = declareTopics(catalogue, config);
      const names = declared.map(({ topic }) => topic);
      const presence = await topicPresence(admin, names);
      const states = await topicStates(admin, names);
      const steps = declared.flatMap((topic) =>
        stepsOf(topic, states.get(topic.topic), presence.get(topic.topic), allowed),
      );
      if (execute) await perform(admin, steps);
      report(tools.stdout, json, {
        data: { executed: execute, steps: steps.map(dataOf) },
        text: textOf(steps, execute),
      });
      if (!execute) return steps.length > 0 ? exitCodes.attention : exitCodes.ok;
      return steps.some(({ refused }) => refused) ? exitCodes.failed : exitCodes.ok;
    }),
  );
}

function stepsOf(
  topic: DeclaredTopic,
  state: TopicState | undefined,
  presence: TopicPresence | undefined,
  allowed: Allowed,
): Step[] {
  return topicDifferences(topic, state, presence).map((difference) => {
    const step = { topic, state, difference };
    switch (difference.kind) {
      case 'missing':
        return { ...step, action: 'create' };
      case 'hidden':
        return { ...step, action: 'left', refused: true };
      case 'setting':
        return { ...step, ...settingStep(difference, allowed) };
      case 'replication':
        return { ...step, action: 'left', note: 'move replicas with kafka-reassign-partitions' };
      case 'partitions':
        return { ...step, ...partitionStep(difference, allowed.grow) };
    }
  });
}

/** What nobody has asked for must not undo what an operator has set. */
function settingStep(
  difference: TopicDifference & { readonly kind: 'setting' },
  { loss: lossAllowed, retention }: Allowed,
): Pick<Step, 'action' | 'note' | 'refused'> {
  if (difference.name === 'retention.ms' && !retention) {
    return { action: 'left', note: 'KAFKA_TOPIC_RETENTION_MS is not set, so no retention is asked for' };
  }
  const loss = lossOf(difference);
  if (loss === undefined) return { action: 'set' };
  if (lossAllowed) return { action: 'set', note: loss };
  return { action: 'left', refused: true, note: `${loss}; add --allow-data-loss if that is wanted` };
}

function partitionStep(
  { is, declared }: { is: number; declared: number },
  grow: boolean,
): Pick<Step, 'action' | 'note'> {
  if (is > declared) return { action: 'left', note: 'partitions cannot be taken away' };
  const warning = 'adding partitions moves keys: events of an aggregate may overtake each other meanwhile';
  return grow
    ? { action: 'add partitions', note: warning }
    : { action: 'left', note: `${warning}; add --add-partitions if that is wanted` };
}

async function perform(admin: Parameters<typeof createTopics>[0], steps: readonly Step[]): Promise<void> {
  const missing = steps.filter(({ action }) => action === 'create').map(({ topic }) => topic);
  if (missing.length > 0) await createTopics(admin, missing);
  for (const [state, changes] of settingChanges(steps)) await alterSettings(admin, state, changes);
  for (const { topic, action } of steps) {
    if (action === 'add partitions') await addPartitions(admin, topic.topic, topic.partitions);
  }
}

/** All changes to one topic go in one request. */
function settingChanges(steps: readonly Step[]): Map<TopicState, Map<string, string>> {
  const changes = new Map<TopicState, Map<string, string>>();
  for (const { state, difference, action } of steps) {
    if (!state || difference.kind !== 'setting' || action !== 'set') continue;
    const known = changes.get(state) ?? new Map<string, string>();
    changes.set(state, known.set(difference.name, difference.declared));
  }
  return changes;
}

function dataOf({ topic, difference, action, note }: Step): unknown {
  return { topic: topic.topic, action, ...difference, ...(note === undefined ? {} : { note }) };
}

function textOf(steps: readonly Step[], executed: boolean): string {
  if (steps.length === 0) return 'All topics are as declared.';
  const lines = steps.map(({ topic, difference, action, note }) => {
    const done = action === 'left' ? 'left as it is' : `${executed ? 'was' : 'would be'} ${past[action]}`;
    return `${topic.topic} ${describeDifference(difference)}: ${done}${note === undefined ? '' : ` (${note})`}`;
  });
  return [...lines, ...(executed ? [] : ['Nothing was changed; add --execute to apply it.'])].join('\n');
}

const past = { create: 'created', set: 'set', 'add partitions': 'given partitions' } as const;
