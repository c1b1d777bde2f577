import { selectTopics } from '../../consumers/console/arguments';
import { declaredTopics, declareTopics } from '../../kafka/topics/declaredTopics';
import { describeDifference, topicDifferences } from '../../kafka/topics/topicDifferences';
import { topicOffsets } from '../../kafka/topics/topicOffsets';
import { type PartitionState, type TopicState, topicStates } from '../../kafka/topics/topicStates';
import { withAdmin } from '../../kafka/withAdmin';
import { UserError } from '../../shared/lifecycle';
import type { Tools } from '../command';
import { exitCodes } from '../exitCodes';
import { withKafka } from '../kafka';
import { report } from '../output/report';
import { table } from '../output/table';

export interface DescribeOptions {
  readonly json?: boolean;
}

interface PartitionLine extends PartitionState {
  /** Offsets are decimal strings, because they may pass 2^53. */
  readonly low: string;
  readonly high: string;
}

interface Description {
  readonly topic: string;
  readonly partitions: readonly PartitionLine[];
  /** Set for this topic; anything else is as the brokers have it. */
  readonly settings: Readonly<Record<string, string>>;
  readonly differences: readonly string[];
}

/** `ops topics describe`: partitions with their leaders and offsets, and the settings of each topic. */
export function describeTopics(
  tools: Tools,
  names: readonly string[],
  { json = false }: DescribeOptions,
): Promise<number> {
  return withKafka(tools, ({ catalogue, kafka, config }) =>
    withAdmin(kafka, async (admin) => {
      const prefix = config.KAFKA_TOPIC_PREFIX;
      const wanted =
        names.length > 0 ? selectTopics(catalogue, names, prefix).topics : declaredTopics(catalogue, prefix);
      const states = await topicStates(admin, wanted);
      const missing = wanted.filter((topic) => !states.has(topic));
      if (missing.length > 0 && names.length > 0) throw noSuchTopic(missing);
      const declarations = declareTopics(catalogue, config);
      const descriptions = await Promise.all(
        [...states.values()].map(async (state): Promise<Description> => {
          const declared = declarations.find(({ topic }) => topic === state.topic);
          return {
            topic: state.topic,
            partitions: withOffsets(state, await topicOffsets(admin, state.topic)),
            settings: ownSettings(state),
            differences: declared ? topicDifferences(declared, state).map(describeDifference) : [],
          };
        }),
      );
      const text = [
        ...descriptions.map(textOf),
        ...missing.map(
          (topic) => `${topic}: is missing. "npx signalbox ops topics apply --execute" creates it.`,
        ),
      ];
      report(tools.stdout, json, { data: { topics: descriptions, missing }, text: text.join('\n\n') });
      return exitCodes.ok;
    }),
  );
}

function noSuchTopic(missing: readonly string[]): UserError {
  const remedy =
    'List them with "npx signalbox ops topics list --all"; "npx signalbox ops topics apply --execute" creates declared ones.';
  return new UserError(`The cluster has no topic ${missing.join(', ')}. ${remedy}`);
}

function withOffsets(
  { partitions }: TopicState,
  offsets: readonly { partition: number; low: string; high: string }[],
): PartitionLine[] {
  return partitions.map((state) => {
    const bounds = offsets.find(({ partition }) => partition === state.partition);
    return { ...state, low: bounds?.low ?? '0', high: bounds?.high ?? '0' };
  });
}

function ownSettings({ settings }: TopicState): Record<string, string> {
  return Object.fromEntries(
    [...settings].filter(([, { own }]) => own).map(([name, { value }]) => [name, value]),
  );
}

function textOf({ topic, partitions, settings, differences }: Description): string {
  const set = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
  return [
    `${topic}: ${partitions.length} partitions${set.length > 0 ? `, ${set.join(', ')}` : ''}`,
    ...differences.map((difference) => `Not as declared: ${difference}`),
    table<PartitionLine>(
      [
        { title: 'PARTITION', value: ({ partition }) => partition, align: 'right' },
        { title: 'LEADER', value: ({ leader }) => leader, align: 'right' },
        { title: 'REPLICAS', value: ({ replicas }) => replicas.join(',') },
        { title: 'IN SYNC', value: ({ inSync }) => inSync.join(',') },
        { title: 'FIRST OFFSET', value: ({ low }) => low, align: 'right' },
        { title: 'NEXT OFFSET', value: ({ high }) => high, align: 'right' },
      ],
      partitions,
    ),
  ].join('\n');
}
