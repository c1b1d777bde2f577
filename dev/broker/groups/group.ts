/**
 * One consumer group, as Apache Kafka's coordinator keeps it (the "classic" protocol). The states and what they
 * answer are data, in states.ts; this class moves between them.
 *
 * Members are in memory only. After a restart of the broker nobody is known, heartbeats are answered with
 * UNKNOWN_MEMBER_ID, and clients join anew; committed offsets are kept elsewhere, on disk.
 */
import { randomUUID } from 'node:crypto';
import { type ErrorCode, errorCodes } from '../protocol/errorCodes';
import { type JoinAnswer, type JoinRequest, Member, nothing, type SyncAnswer } from './member';
import { commonProtocols, selectProtocol } from './selectProtocol';
import { type GroupState, stateRules } from './states';

export class Group {
  state: GroupState = 'Empty';
  protocolType = '';
  protocol = '';
  private generation = 0;
  private leader = '';
  private readonly members = new Map<string, Member>();
  private joinDeadline: NodeJS.Timeout | undefined;
  private initialDelay: NodeJS.Timeout | undefined;

  /** `initialDelayMs`: how long the first member of an empty group is kept waiting for others that start with it. */
  constructor(private readonly initialDelayMs: number) {}

  /** Resolves when the group has agreed on a new generation. `gone` says that the client hung up meanwhile. */
  async join(request: JoinRequest, gone: AbortSignal): Promise<JoinAnswer> {
    const known = this.members.get(request.memberId);
    if (request.memberId !== '' && known === undefined) return refusal(errorCodes.UNKNOWN_MEMBER_ID, request);
    if (!this.understands(request, known)) return refusal(errorCodes.INCONSISTENT_GROUP_PROTOCOL, request);
    if (known !== undefined && !this.mustRebalance(known, request)) {
      known.heard();
      return this.joinAnswer(known);
    }
    const member = known ?? this.admit(request);
    member.answerJoin(refusal(errorCodes.REBALANCE_IN_PROGRESS, request));
    const answer = new Promise<JoinAnswer>((resolve) => member.waitForJoin(request, resolve));
    this.rebalance();
    if (known !== undefined) return answer;
    // A new member does not know its id yet: if its connection breaks now, it will come back as another one.
    const onGone = (): void => this.remove(member);
    gone.addEventListener('abort', onGone);
    return answer.finally(() => gone.removeEventListener('abort', onGone));
  }

  async sync(
    memberId: string,
    generation: number,
    assignments: readonly { memberId: string; assignment: Buffer }[],
  ): Promise<SyncAnswer> {
    const { error, member } = this.check(memberId, generation);
    if (member === undefined) return { error, assignment: nothing };
    const rule = stateRules[this.state].sync;
    if (rule === 'refuse') return { error: errorCodes.REBALANCE_IN_PROGRESS, assignment: nothing };
    member.heard();
    if (rule === 'assignment') return { error: errorCodes.NONE, assignment: member.assignment };
    const answer = new Promise<SyncAnswer>((resolve) => member.waitForSync(resolve));
    if (memberId === this.leader) this.assign(assignments);
    return answer;
  }

  heartbeat(memberId: string, generation: number): ErrorCode {
    const { error, member } = this.check(memberId, generation);
    member?.heard();
    return member === undefined ? error : stateRules[this.state].heartbeat;
  }

  leave(memberId: string): ErrorCode {
    const member = this.members.get(memberId);
    if (member === undefined) return errorCodes.UNKNOWN_MEMBER_ID;
    this.remove(member);
    return errorCodes.NONE;
  }

  /** Whether offsets may be committed; without a generation (below 0) only while the group has no members. */
  checkCommit(memberId: string, generation: number): ErrorCode {
    if (generation < 0 && this.state === 'Empty') return errorCodes.NONE;
    if (generation < 0 && memberId === '') return errorCodes.UNKNOWN_MEMBER_ID;
    const { error, member } = this.check(memberId, generation);
    member?.heard();
    return member === undefined ? error : stateRules[this.state].commit;
  }

  list(): readonly Member[] {
    return [...this.members.values()];
  }

  dispose(): void {
    this.clearTimers();
    for (const member of this.members.values()) member.dispose();
  }

  private check(memberId: string, generation: number): { error: ErrorCode; member?: Member } {
    const member = this.members.get(memberId);
    if (member === undefined) return { error: errorCodes.UNKNOWN_MEMBER_ID };
    if (generation !== this.generation) return { error: errorCodes.ILLEGAL_GENERATION };
    return { error: errorCodes.NONE, member };
  }

  private understands(request: JoinRequest, known: Member | undefined): boolean {
    if (request.protocolType === '' || request.protocols.length === 0) return false;
    const others = this.list().filter((member) => member !== known);
    if (this.members.size > 0 && request.protocolType !== this.protocolType) return false;
    return commonProtocols([request, ...others]).length > 0;
  }

  private mustRebalance(member: Member, request: JoinRequest): boolean {
    if (this.state === 'PreparingRebalance' || !member.speaksLike(request)) return true;
    return this.state === 'Stable' && member.id === this.leader;
  }

  private admit(request: JoinRequest): Member {
    const id = `${request.clientId}-${randomUUID()}`;
    const member = new Member(id, request, (silent) => this.remove(silent));
    if (this.members.size === 0) {
      this.protocolType = request.protocolType;
      this.initialDelay ??= setTimeout(() => {
        this.initialDelay = undefined;
        this.finishJoinIfAllHave();
      }, this.initialDelayMs);
    }
    this.members.set(id, member);
    return member;
  }

  private remove(member: Member): void {
    member.dispose();
    this.members.delete(member.id);
    const error = errorCodes.UNKNOWN_MEMBER_ID;
    member.answerJoin({ ...emptyJoin, error, memberId: member.id });
    member.answerSync({ error, assignment: nothing });
    this.rebalance();
  }

  private rebalance(): void {
    if (this.state !== 'PreparingRebalance') {
      this.move('PreparingRebalance');
      const error = errorCodes.REBALANCE_IN_PROGRESS;
      for (const member of this.members.values()) member.answerSync({ error, assignment: nothing });
      const longest = Math.max(0, ...this.list().map(({ rebalanceTimeoutMs }) => rebalanceTimeoutMs));
      this.joinDeadline = setTimeout(() => this.finishJoin(), longest);
    }
    this.finishJoinIfAllHave();
  }

  private finishJoinIfAllHave(): void {
    const waitsForMore = this.initialDelay !== undefined && this.members.size > 0;
    if (this.state !== 'PreparingRebalance' || waitsForMore) return;
    if (this.list().every(({ hasJoined }) => hasJoined)) this.finishJoin();
  }

  /** Starts the next generation with those who have joined; the others are out. */
  private finishJoin(): void {
    this.clearTimers();
    for (const member of this.list().filter(({ hasJoined }) => !hasJoined)) {
      member.dispose();
      this.members.delete(member.id);
    }
    this.generation += 1;
    this.protocol = selectProtocol(this.list());
    const [first] = this.members.keys();
    if (first === undefined) return this.move('Empty');
    if (!this.members.has(this.leader)) this.leader = first;
    this.move('CompletingRebalance');
    for (const member of this.members.values()) {
      member.assignment = nothing;
      member.answerJoin(this.joinAnswer(member));
    }
  }

  private assign(assignments: readonly { memberId: string; assignment: Buffer }[]): void {
    for (const { memberId, assignment } of assignments) {
      const member = this.members.get(memberId);
      if (member !== undefined) member.assignment = Buffer.from(assignment);
    }
    this.move('Stable');
    for (const member of this.members.values()) {
      member.answerSync({ error: errorCodes.NONE, assignment: member.assignment });
    }
  }

  private joinAnswer({ id }: Member): JoinAnswer {
    const members = this.list().map((member) => ({
      id: member.id,
      metadata: member.metadataFor(this.protocol),
    }));
    return {
      error: errorCodes.NONE,
      generation: this.generation,
      protocol: this.protocol,
      leader: this.leader,
      memberId: id,
      members: id === this.leader ? members : [],
    };
  }

  private move(next: GroupState): void {
    if (!stateRules[this.state].next.includes(next)) {
      throw new Error(`A group can't go from ${this.state} to ${next}.`);
    }
    this.state = next;
  }

  private clearTimers(): void {
    clearTimeout(this.joinDeadline);
    clearTimeout(this.initialDelay);
    this.initialDelay = undefined;
  }
}

const emptyJoin = { generation: -1, protocol: '', leader: '', members: [] };

function refusal(error: ErrorCode, { memberId }: JoinRequest): JoinAnswer {
  return { ...emptyJoin, error, memberId };
}
