import { type GroupState, groupStates, listGroups } from '../../kafka/groups/groupStates';
import type { withAdmin } from '../../kafka/withAdmin';
import { UserError } from '../../shared/lifecycle';
import type { OpsKafkaConfig } from '../kafka';

export type Admin = Parameters<Parameters<typeof withAdmin>[1]>[0];

/** The consumer group of a consumer of Signalbox. */
export function groupOf(consumer: string, { CONSUMER_GROUP_PREFIX }: OpsKafkaConfig): string {
  return `${CONSUMER_GROUP_PREFIX}.${consumer}`;
}

/** The consumer of Signalbox whose group it is; undefined for somebody else's. */
export function consumerOf(
  group: string,
  { CONSUMER_GROUP_PREFIX: prefix }: OpsKafkaConfig,
): string | undefined {
  return group.startsWith(`${prefix}.`) ? group.slice(prefix.length + 1) : undefined;
}

/** The groups of these names; a consumer's name stands for its group. @throws UserError for one that is none. */
export async function findGroups(
  admin: Admin,
  names: readonly string[],
  config: OpsKafkaConfig,
): Promise<GroupState[]> {
  const known = await listGroups(admin);
  const groups = names.map((name) => [name, groupOf(name, config)].find((group) => known.includes(group)));
  const unknown = names.find((_name, index) => groups[index] === undefined);
  if (unknown !== undefined) {
    const there = known.length > 0 ? `There are: ${known.join(', ')}.` : 'This account can see none at all.';
    throw new UserError(`There is no consumer group "${unknown}". ${there}`);
  }
  return groupStates(
    admin,
    groups.filter((group) => group !== undefined),
  );
}
