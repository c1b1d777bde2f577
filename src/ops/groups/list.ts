import { groupPositions, groupStates, listGroups as groupNames } from '../../kafka/groups/groupStates';
import { withAdmin } from '../../kafka/withAdmin';
import type { Tools } from '../command';
import { exitCodes } from '../exitCodes';
import { withKafka } from '../kafka';
import { report } from '../output/report';
import { table } from '../output/table';

export interface JsonOption {
  readonly json?: boolean;
}

interface Line {
  readonly group: string;
  readonly state: string;
  readonly members: number;
  readonly topics: number;
  /** A decimal string, because it may pass 2^53. */
  readonly lag: string;
}

/** `ops groups list`: one line for each group of the cluster. */
export function listGroups(tools: Tools, { json = false }: JsonOption): Promise<number> {
  return withKafka(tools, ({ kafka }) =>
    withAdmin(kafka, async (admin) => {
      const states = await groupStates(admin, await groupNames(admin));
      const lines: Line[] = [];
      for (const { group, state, members } of states) {
        const positions = await groupPositions(admin, group);
        lines.push({
          group,
          state,
          members: members.length,
          topics: new Set(positions.map(({ topic }) => topic)).size,
          lag: String(positions.reduce((sum, { lag }) => sum + lag, 0n)),
        });
      }
      report(tools.stdout, json, { data: { groups: lines }, text: textOf(lines) });
      return exitCodes.ok;
    }),
  );
}

function textOf(lines: readonly Line[]): string {
  if (lines.length === 0) return 'There is no consumer group that this account may see.';
  return table<Line>(
    [
      { title: 'GROUP', value: ({ group }) => group },
      { title: 'STATE', value: ({ state }) => state },
      { title: 'MEMBERS', value: ({ members }) => members, align: 'right' },
      { title: 'TOPICS', value: ({ topics }) => topics, align: 'right' },
      { title: 'LAG', value: ({ lag }) => lag, align: 'right' },
    ],
    lines,
  );
}
