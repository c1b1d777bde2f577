import { addPartitions, alterSettings } from '../../kafka/alterTopics';
import { type DeclaredTopic, declareTopics } from '../../kafka/declaredTopics';
import { describeDifference, type TopicDifference, topicDifferences } from '../../kafka/topicDifferences';
import { createTopics } from '../../kafka/topics';
import { type TopicState, topicStates } from '../../kafka/topicStates';
import { withAdmin } from '../../kafka/withAdmin';
import type { Tools } from '../command';
import { exitCodes } from '../exitCodes';
import { withKafka } from '../kafka';
import { report } from '../output/report';

export interface ApplyOptions {
  readonly dryRun?: boolean;
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
}

/** `ops topics apply`: brings the cluster's topics in line with the declaration, as far as that harms nobody. */
export function applyTopics(
  tools: Tools,
  { dryRun = false, addPartitions: grow = false, json = false }: ApplyOptions,
): Promise<number> {
  return withKafka(tools, ({ kafka, config }) =>
    withAdmin(kafka, async (admin) => {
      const declared = declareTopics(config);
      const states = await topicStates(
        admin,
        declared.map(({ topic }) => topic),
      );
      const steps = declared.flatMap((topic) => stepsOf(topic, states.get(topic.topic), grow));
      if (!dryRun) await perform(admin, steps);
      report(tools.stdout, json, {
        data: { executed: !dryRun, steps: steps.map(dataOf) },
        text: textOf(steps, dryRun),
      });
      return dryRun && steps.length > 0 ? exitCodes.attention : exitCodes.ok;
    }),
  );
}

function stepsOf(topic: DeclaredTopic, state: TopicState | undefined, grow: boolean): Step[] {
  return topicDifferences(topic, state).map((difference) => {
    const step = { topic, state, difference };
    switch (difference.kind) {
      case 'missing':
        return { ...step, action: 'create' };
      case 'setting':
        return { ...step, action: 'set' };
      case 'replication':
        return { ...step, action: 'left', note: 'move replicas with kafka-reassign-partitions' };
      case 'partitions':
        return { ...step, ...partitionStep(difference, grow) };
    }
  });
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
  for (const { state, difference } of steps) {
    if (!state || difference.kind !== 'setting') continue;
    const known = changes.get(state) ?? new Map<string, string>();
    changes.set(state, known.set(difference.name, difference.declared));
  }
  return changes;
}

function dataOf({ topic, difference, action, note }: Step): unknown {
  return { topic: topic.topic, action, ...difference, ...(note === undefined ? {} : { note }) };
}

function textOf(steps: readonly Step[], dryRun: boolean): string {
  if (steps.length === 0) return 'All topics are as declared.';
  const lines = steps.map(({ topic, difference, action, note }) => {
    const done = action === 'left' ? 'left as it is' : `${dryRun ? 'would be' : 'was'} ${past[action]}`;
    return `${topic.topic} ${describeDifference(difference)}: ${done}${note === undefined ? '' : ` (${note})`}`;
  });
  return [...lines, ...(dryRun ? ['Nothing was changed; leave out --dry-run to apply it.'] : [])].join('\n');
}

const past = { create: 'created', set: 'set', 'add partitions': 'given partitions' } as const;
