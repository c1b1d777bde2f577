import { AssignerProtocol } from 'kafkajs';

/** The partitions of a group's member, by topic. While members join there are none yet. */
export function assignmentOf(encoded: Buffer): Record<string, number[]> {
  if (encoded.length === 0) return {};
  return AssignerProtocol.MemberAssignment.decode(encoded)?.assignment ?? {};
}
