import { type GroupPosition, groupPositions, type GroupState } from '../../kafka/groups/groupStates';
import { withAdmin } from '../../kafka/withAdmin';
import type { Tools } from '../command';
import { exitCodes } from '../exitCodes';
import { withKafka } from '../kafka';
import { report } from '../output/report';
import { table } from '../output/table';
import { findGroups } from './find';
import type { JsonOption } from './list';

interface Description extends GroupState {
  readonly positions: readonly (GroupPosition & { readonly member: string | null })[];
}

/** `ops groups describe`: who is in a group, and how far it is in each partition. */
export function describeGroups(
  tools: Tools,
  names: readonly string[],
  { json = false }: JsonOption,
): Promise<number> {
  return withKafka(tools, ({ kafka, config }) =>
    withAdmin(kafka, async (admin) => {
      const descriptions: Description[] = [];
      for (const state of await findGroups(admin, names, config)) {
        const assigned = state.members.flatMap(({ partitions }) => Object.keys(partitions));
        const committed = await groupPositions(admin, state.group);
        const others = assigned.filter((topic) => committed.every((position) => position.topic !== topic));
        const more = others.length > 0 ? await groupPositions(admin, state.group, [...new Set(others)]) : [];
        descriptions.push({
          ...state,
          positions: [...committed, ...more].map((position) => ({
            ...position,
            member: memberOf(state, position),
          })),
        });
      }
      report(tools.stdout, json, {
        data: { groups: descriptions.map(dataOf) },
        text: descriptions.map(textOf).join('\n\n'),
      });
      return exitCodes.ok;
    }),
  );
}

function memberOf({ members }: GroupState, { topic, partition }: GroupPosition): string | null {
  const member = members.find(({ partitions }) => partitions[topic]?.includes(partition));
  return member ? `${member.clientId}@${member.host}` : null;
}

function dataOf({ positions, ...group }: Description): unknown {
  return {
    ...group,
    positions: positions.map(({ committed, low, high, lag, ...place }) => ({
      ...place,
      committed: committed === null ? null : String(committed),
      low: String(low),
      high: String(high),
      lag: String(lag),
    })),
  };
}

function textOf({ group, state, members, positions }: Description): string {
  const heading = `${group}: ${state}, ${members.length} member${members.length === 1 ? '' : 's'}`;
  if (positions.length === 0) return `${heading}\nIt has read nothing yet.`;
  return [
    heading,
    table<Description['positions'][number]>(
      [
        { title: 'TOPIC', value: ({ topic }) => topic },
        { title: 'PARTITION', value: ({ partition }) => partition, align: 'right' },
        { title: 'CURRENT OFFSET', value: ({ committed }) => committed ?? '-', align: 'right' },
        { title: 'NEXT OFFSET', value: ({ high }) => high, align: 'right' },
        { title: 'LAG', value: ({ lag }) => lag, align: 'right' },
        { title: 'MEMBER', value: ({ member }) => member ?? '-' },
      ],
      positions,
    ),
  ].join('\n');
}
