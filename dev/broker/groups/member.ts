import type { ErrorCode } from '../protocol/errorCodes';

export interface GroupProtocol {
  readonly name: string;
  readonly metadata: Buffer;
}

export interface JoinRequest {
  /** Empty: a new member, which gets an id. */
  readonly memberId: string;
  readonly clientId: string;
  readonly clientHost: string;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly protocolType: string;
  readonly protocols: readonly GroupProtocol[];
}

export interface JoinAnswer {
  readonly error: ErrorCode;
  readonly generation: number;
  readonly protocol: string;
  readonly leader: string;
  readonly memberId: string;
  /** All members and their metadata for the leader, nobody for the others. */
  readonly members: readonly { readonly id: string; readonly metadata: Buffer }[];
}

export interface SyncAnswer {
  readonly error: ErrorCode;
  readonly assignment: Buffer;
}

export const nothing = Buffer.alloc(0);

/** One member of a group: what it said of itself, what it waits for, and the timer that runs while it is silent. */
export class Member {
  assignment = nothing;
  private waitingJoin: ((answer: JoinAnswer) => void) | undefined;
  private waitingSync: ((answer: SyncAnswer) => void) | undefined;
  private readonly session: NodeJS.Timeout;
  private disposed = false;

  constructor(
    readonly id: string,
    private request: JoinRequest,
    onSilence: (member: Member) => void,
  ) {
    this.session = setTimeout(() => {
      // Whoever waits for an answer of ours can't be expected to speak.
      if (this.isWaiting) this.session.refresh();
      else onSilence(this);
    }, request.sessionTimeoutMs);
  }

  get clientId(): string {
    return this.request.clientId;
  }

  get clientHost(): string {
    return this.request.clientHost;
  }

  get rebalanceTimeoutMs(): number {
    return this.request.rebalanceTimeoutMs;
  }

  get protocols(): readonly GroupProtocol[] {
    return this.request.protocols;
  }

  get hasJoined(): boolean {
    return this.waitingJoin !== undefined;
  }

  get isWaiting(): boolean {
    return this.waitingJoin !== undefined || this.waitingSync !== undefined;
  }

  heard(): void {
    if (!this.disposed) this.session.refresh();
  }

  metadataFor(protocol: string): Buffer {
    return this.protocols.find(({ name }) => name === protocol)?.metadata ?? nothing;
  }

  speaksLike({ protocols }: JoinRequest): boolean {
    return (
      protocols.length === this.protocols.length &&
      protocols.every(({ name, metadata }, index) => {
        const mine = this.protocols[index];
        return mine?.name === name && mine.metadata.equals(metadata);
      })
    );
  }

  waitForJoin(request: JoinRequest, answer: (answer: JoinAnswer) => void): void {
    this.request = request;
    this.waitingJoin = answer;
  }

  waitForSync(answer: (answer: SyncAnswer) => void): void {
    this.waitingSync = answer;
  }

  answerJoin(answer: JoinAnswer): void {
    this.waitingJoin?.(answer);
    this.waitingJoin = undefined;
    this.heard();
  }

  answerSync(answer: SyncAnswer): void {
    this.waitingSync?.(answer);
    this.waitingSync = undefined;
    this.heard();
  }

  dispose(): void {
    this.disposed = true;
    clearTimeout(this.session);
  }
}
