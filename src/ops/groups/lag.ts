import { type GroupPosition, groupPositions, groupStates, listGroups } from '../../kafka/groups/groupStates';
import { withAdmin } from '../../kafka/withAdmin';
import { UserError } from '../../shared/lifecycle';
import type { Tools } from '../command';
import { exitCodes } from '../exitCodes';
import { withKafka } from '../kafka';
import { report } from '../output/report';
import { table } from '../output/table';
import { consumerOf, findGroups } from './find';

export interface LagOptions {
  readonly max?: string;
  readonly json?: boolean;
}

interface Line {
  readonly group: string;
  readonly topic: string;
  /** Decimal strings, because they may pass 2^53. */
  readonly lag: string;
  readonly partitions: number;
}

/** `ops groups lag`: what groups have still to read; with a limit, for scripts and alerts. */
export function groupLag(
  tools: Tools,
  names: readonly string[],
  { max, json = false }: LagOptions,
): Promise<number> {
  const limit = max === undefined ? undefined : parseMax(max);
  return withKafka(tools, ({ kafka, config }) =>
    withAdmin(kafka, async (admin) => {
      const ours = async () =>
        (await listGroups(admin)).filter((group) => consumerOf(group, config) !== undefined);
      const groups =
        names.length > 0 ? await findGroups(admin, names, config) : await groupStates(admin, await ours());
      const lines: Line[] = [];
      const exceeding: string[] = [];
      for (const { group } of groups) {
        const positions = await groupPositions(admin, group);
        for (const topic of new Set(positions.map((position) => position.topic))) {
          const list = positions.filter((position) => position.topic === topic);
          lines.push({ group, topic, lag: String(sumOf(list)), partitions: list.length });
        }
        if (limit !== undefined && sumOf(positions) > limit) exceeding.push(group);
      }
      report(tools.stdout, json, { data: { lag: lines, exceeding }, text: textOf(lines, exceeding, max) });
      return exceeding.length > 0 ? exitCodes.attention : exitCodes.ok;
    }),
  );
}

const sumOf = (positions: readonly GroupPosition[]): bigint =>
  positions.reduce((sum, { lag }) => sum + lag, 0n);

function parseMax(text: string): bigint {
  if (!/^\d{1,18}$/.test(text)) {
    throw new UserError(`--max "${text}" is not a number of messages. Give a whole number from 0 on.`);
  }
  return BigInt(text);
}

function textOf(lines: readonly Line[], exceeding: readonly string[], max: string | undefined): string {
  if (lines.length === 0) return 'No group of ours has read anything yet.';
  const rows = table<Line>(
    [
      { title: 'GROUP', value: ({ group }) => group },
      { title: 'TOPIC', value: ({ topic }) => topic },
      { title: 'PARTITIONS', value: ({ partitions }) => partitions, align: 'right' },
      { title: 'LAG', value: ({ lag }) => lag, align: 'right' },
    ],
    lines,
  );
  return [rows, ...exceeding.map((group) => `${group} has more than ${max} messages to read.`)].join('\n');
}
