import { type ErrorCode, errorCodes } from '../protocol/errorCodes';
import type { CommittedOffsets } from '../storage/committedOffsets';
import { Group } from './group';
import { type JoinAnswer, type JoinRequest, nothing, type SyncAnswer } from './member';

export interface CoordinatorOptions {
  /** The limits of a member's session timeout, in milliseconds. Apache Kafka begins at 6,000; tests can't wait that long. */
  readonly minSessionTimeoutMs?: number;
  readonly maxSessionTimeoutMs?: number;
  /** See Group. Apache Kafka's own default is 3,000. */
  readonly initialDelayMs?: number;
}

export interface GroupDescription {
  readonly state: string;
  readonly protocolType: string;
  readonly protocol: string;
  readonly members: readonly {
    readonly id: string;
    readonly clientId: string;
    readonly clientHost: string;
    readonly metadata: Buffer;
    readonly assignment: Buffer;
  }[];
}

/** Finds the group that a request is about. A group exists from its first join or commit until it is deleted. */
export class Coordinator {
  private readonly groups = new Map<string, Group>();

  constructor(
    private readonly offsets: CommittedOffsets,
    private readonly options: CoordinatorOptions = {},
  ) {}

  async join(groupId: string, request: JoinRequest, gone: AbortSignal): Promise<JoinAnswer> {
    const { minSessionTimeoutMs = 500, maxSessionTimeoutMs = 1_800_000 } = this.options;
    const { sessionTimeoutMs, memberId } = request;
    const refused = { generation: -1, protocol: '', leader: '', memberId, members: [] };
    if (groupId === '') return { ...refused, error: errorCodes.INVALID_GROUP_ID };
    if (sessionTimeoutMs < minSessionTimeoutMs || sessionTimeoutMs > maxSessionTimeoutMs) {
      return { ...refused, error: errorCodes.INVALID_SESSION_TIMEOUT };
    }
    const group = this.groups.get(groupId) ?? this.add(groupId);
    const answer = await group.join(request, gone);
    if (answer.error === errorCodes.NONE) this.offsets.register(groupId, group.protocolType);
    return answer;
  }

  async sync(groupId: string, ...request: Parameters<Group['sync']>): Promise<SyncAnswer> {
    const group = this.groups.get(groupId);
    return group?.sync(...request) ?? { error: errorCodes.UNKNOWN_MEMBER_ID, assignment: nothing };
  }

  heartbeat(groupId: string, memberId: string, generation: number): ErrorCode {
    return this.groups.get(groupId)?.heartbeat(memberId, generation) ?? errorCodes.UNKNOWN_MEMBER_ID;
  }

  leave(groupId: string, memberId: string): ErrorCode {
    return this.groups.get(groupId)?.leave(memberId) ?? errorCodes.UNKNOWN_MEMBER_ID;
  }

  checkCommit(groupId: string, memberId: string, generation: number): ErrorCode {
    if (groupId === '') return errorCodes.INVALID_GROUP_ID;
    const group = this.groups.get(groupId);
    if (group !== undefined) return group.checkCommit(memberId, generation);
    return generation < 0 ? errorCodes.NONE : errorCodes.ILLEGAL_GENERATION;
  }

  /** Group ids with the kind of their clients. */
  list(): [group: string, protocolType: string][] {
    return this.offsets.list();
  }

  describe(groupId: string): GroupDescription {
    const group = this.groups.get(groupId);
    const protocolType = this.offsets.protocolType(groupId);
    if (group === undefined || group.state === 'Empty') {
      const state = protocolType === undefined ? 'Dead' : 'Empty';
      return { state, protocolType: protocolType ?? '', protocol: '', members: [] };
    }
    const protocol = group.state === 'Stable' ? group.protocol : '';
    const members = group.list().map((member) => ({
      id: member.id,
      clientId: member.clientId,
      clientHost: member.clientHost,
      assignment: member.assignment,
      metadata: member.metadataFor(protocol),
    }));
    return { state: group.state, protocolType: group.protocolType, protocol, members };
  }

  /** Deletes a group without members, with its offsets. */
  delete(groupId: string): ErrorCode {
    const group = this.groups.get(groupId);
    if (group !== undefined && group.state !== 'Empty') return errorCodes.NON_EMPTY_GROUP;
    if (this.offsets.protocolType(groupId) === undefined) return errorCodes.GROUP_ID_NOT_FOUND;
    this.offsets.delete(groupId);
    this.groups.delete(groupId);
    return errorCodes.NONE;
  }

  stop(): void {
    for (const group of this.groups.values()) group.dispose();
    this.groups.clear();
  }

  private add(groupId: string): Group {
    const group = new Group(this.options.initialDelayMs ?? 50);
    this.groups.set(groupId, group);
    return group;
  }
}
