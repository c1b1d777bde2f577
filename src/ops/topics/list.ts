import { type DeclaredTopic, declareTopics } from '../../kafka/topics/declaredTopics';
import { describeDifference, topicDifferences } from '../../kafka/topics/topicDifferences';
import { topicPresence, type TopicPresence } from '../../kafka/topics/topicPresence';
import { type TopicState, topicStates } from '../../kafka/topics/topicStates';
import { withAdmin } from '../../kafka/withAdmin';
import type { Tools } from '../command';
import { exitCodes } from '../exitCodes';
import { withKafka } from '../kafka';
import { duration } from '../output/duration';
import { report } from '../output/report';
import { table } from '../output/table';

export interface ListOptions {
  readonly all?: boolean;
  readonly json?: boolean;
}

interface Line {
  readonly topic: string;
  readonly declared: boolean;
  readonly exists: boolean;
  readonly partitions: number | null;
  readonly replicas: number | null;
  readonly retention_ms: number | null;
  readonly cleanup_policy: string | null;
  readonly compression: string | null;
  /** Where it is not as declared, one sentence each. */
  readonly differences: readonly string[];
}

/** `ops topics list`: one line for each topic. */
export function listTopics(tools: Tools, { all = false, json = false }: ListOptions): Promise<number> {
  return withKafka(tools, ({ catalogue, kafka, config }) =>
    withAdmin(kafka, async (admin) => {
      const declared = declareTopics(catalogue, config);
      const ours = declared.map(({ topic }) => topic);
      const others = all ? (await admin.listTopics()).filter((topic) => !ours.includes(topic)).sort() : [];
      const presence = await topicPresence(admin, ours);
      const states = await topicStates(admin, [...ours, ...others]);
      const lines = [
        ...declared.map((topic) =>
          lineOf(topic.topic, states.get(topic.topic), topic, presence.get(topic.topic)),
        ),
        ...others.map((topic) => lineOf(topic, states.get(topic))),
      ];
      report(tools.stdout, json, { data: { topics: lines }, text: textOf(lines) });
      return exitCodes.ok;
    }),
  );
}

function lineOf(
  topic: string,
  state: TopicState | undefined,
  declared?: DeclaredTopic,
  presence?: TopicPresence,
): Line {
  const setting = (name: string): string | null => state?.settings.get(name)?.value ?? null;
  const retention = setting('retention.ms');
  return {
    topic,
    declared: declared !== undefined,
    exists: state !== undefined,
    partitions: state?.partitions.length ?? null,
    replicas: state?.partitions[0]?.replicas.length ?? null,
    retention_ms: retention === null ? null : Number(retention),
    cleanup_policy: setting('cleanup.policy'),
    compression: setting('compression.type'),
    differences: declared ? topicDifferences(declared, state, presence).map(describeDifference) : [],
  };
}

function textOf(lines: readonly Line[]): string {
  return table<Line>(
    [
      { title: 'TOPIC', value: ({ topic }) => topic },
      { title: 'PARTITIONS', value: ({ partitions }) => partitions ?? '-', align: 'right' },
      { title: 'REPLICAS', value: ({ replicas }) => replicas ?? '-', align: 'right' },
      {
        title: 'RETENTION',
        value: ({ retention_ms: ms }) => (ms === null ? '-' : duration(ms)),
        align: 'right',
      },
      { title: 'CLEANUP', value: ({ cleanup_policy }) => cleanup_policy ?? '-' },
      { title: 'COMPRESSION', value: ({ compression }) => compression ?? '-' },
      { title: 'STATUS', value: statusOf },
    ],
    lines,
  );
}

function statusOf({ declared, differences }: Line): string {
  if (!declared) return 'not ours';
  return differences.length === 0 ? 'as declared' : differences.join('; ');
}
