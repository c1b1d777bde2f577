import type { KafkaAdmin } from '../ports';
import { assignmentOf } from '../kafkajs/assignment';
import { topicOffsets } from '../topics/topicOffsets';

/** A consumer group as its coordinator knows it. */
export interface GroupState {
  readonly group: string;
  /** Kafka's word: Stable, Empty, Dead, PreparingRebalance, CompletingRebalance. */
  readonly state: string;
  readonly members: readonly GroupMember[];
}

export interface GroupMember {
  readonly id: string;
  readonly clientId: string;
  readonly host: string;
  /** By topic. */
  readonly partitions: Readonly<Record<string, readonly number[]>>;
}

/** How far a group is in one partition. */
export interface GroupPosition {
  readonly topic: string;
  readonly partition: number;
  /** The next offset to be read; null where nothing was committed. */
  readonly committed: bigint | null;
  /** The first offset that is still there, and the next one to be written. */
  readonly low: bigint;
  readonly high: bigint;
  /** Messages still to be read; what has expired is not counted. */
  readonly lag: bigint;
}

/** The names of all consumer groups. */
export async function listGroups(admin: KafkaAdmin): Promise<string[]> {
  const { groups } = await admin.listGroups();
  return groups
    .filter(({ protocolType }) => protocolType === 'consumer' || protocolType === '')
    .map(({ groupId }) => groupId)
    .sort();
}

/** The groups' states; one that nobody knows is "Dead". */
export async function groupStates(admin: KafkaAdmin, groups: readonly string[]): Promise<GroupState[]> {
  if (groups.length === 0) return [];
  const { groups: found } = await admin.describeGroups([...groups]);
  return found.map(({ groupId, state, members }) => ({
    group: groupId,
    state,
    members: members.map(({ memberId, clientId, clientHost, memberAssignment }) => ({
      id: memberId,
      clientId,
      host: clientHost.replace(/^\//, ''),
      partitions: assignmentOf(memberAssignment),
    })),
  }));
}

/** How far a group is, in every partition of the topics that it has committed offsets of, or of `topics`. */
export async function groupPositions(
  admin: KafkaAdmin,
  group: string,
  topics?: readonly string[],
): Promise<GroupPosition[]> {
  const existing = new Set(await admin.listTopics());
  const committed = new Map(
    (await admin.fetchOffsets({ groupId: group })).map(({ topic, partitions }) => [topic, partitions]),
  );
  const names = (topics ?? [...committed.keys()]).filter((topic) => existing.has(topic)).sort();
  const positions = await Promise.all(
    names.map(async (topic) =>
      (await topicOffsets(admin, topic)).map(({ partition, low, high }) => {
        const entry = committed.get(topic)?.find((one) => one.partition === partition);
        return { topic, partition, ...progress(entry?.offset ?? '-1', BigInt(low), BigInt(high)) };
      }),
    ),
  );
  return positions.flat().sort((a, b) => a.topic.localeCompare(b.topic) || a.partition - b.partition);
}

/** Offsets below zero stand for places: kafkajs itself commits -2 for the beginning and -1 for the end or for nothing. */
function progress(
  offset: string,
  low: bigint,
  high: bigint,
): Pick<GroupPosition, 'committed' | 'low' | 'high' | 'lag'> {
  const next = BigInt(offset);
  const committed = next < 0n ? null : next;
  const from = committed === null || committed < low ? low : committed;
  return { committed, low, high, lag: from > high ? 0n : high - from };
}
