/*
 * The lanes that this relay owns.
 *
 * A lane's state: free → owned (takeLanes, a new epoch) → free (given up, or the owner's lease has ended). The lease
 * is the relay's own row with an expiry by the server's clock; `renew` moves it on and runs in a loop of its own, so
 * that a slow broker or a long page starve nothing. Whoever finds the lease ended may take the lanes. The former owner
 * may not know yet: that is what the epoch is for. What it then settles changes no row, and it drops the lane.
 *
 * In between it may send what the new owner sends too. Both read the same log from the same cursor in the same order,
 * so whatever the interleaving, the first copy of each event comes after the first copy of every earlier event of its
 * aggregate; the further copies have the same event_id.
 *
 * After a failed statement nobody knows what the table says: `forgetAll` empties the memory, and the next `renew` takes
 * the lanes again with what the table holds.
 *
 * Sharing: relays that are alive are listed in one order for all, and each takes its share of the lanes. One that has
 * more gives the surplus up when it is between two pages; one that has less takes what is free. A relay that stands by
 * (participation.ts) has no share while another one does not, and gives its lanes up at once: it may be stuck in a page
 * for long, and a page that is sent although the lane is lost does no harm, as said above.
 */
import type { Pool } from 'pg';
import { refuseForeignCursors } from '../outbox/log/guard';
import { forgetFormerSelf, heartbeat, type RelayIdentity, signOff } from '../outbox/log/heartbeat';
import { releaseLanes, takeLanes } from '../outbox/log/lanes';
import { openLanes } from '../outbox/log/openLanes';
import { readBlocked } from '../outbox/log/parked';
import type { Logger } from '../shared/logger';
import { type OwnedLane, shareOf } from './lanes';
import type { RelayMetrics } from './metrics';
import type { PoisonPolicy } from './publishInOrder';

export interface LeaseOptions {
  readonly database: Pool;
  readonly identity: RelayIdentity;
  readonly leaseMs: number;
  readonly policy: PoisonPolicy;
  readonly logger: Logger;
  readonly metrics: RelayMetrics;
  /** Milliseconds of a clock that is never set. */
  readonly now?: () => number;
}

export class LaneLeases {
  readonly #lanes = new Map<number, OwnedLane>();
  #share = 0;
  #renewedAt = Number.NEGATIVE_INFINITY;
  #known = false;
  #queue: Promise<unknown> = Promise.resolve();
  readonly #now: () => number;

  constructor(private readonly options: LeaseOptions) {
    this.#now = options.now ?? (() => performance.now());
  }

  get owner(): string {
    return this.options.identity.id;
  }

  /** The lanes to publish now: this relay's share of those it owns, none when it has not renewed for a lease's time. */
  current(): OwnedLane[] {
    if (!this.isFresh) return [];
    return this.#sorted().slice(0, this.#share);
  }

  /** Whether the lease was renewed within its own length. */
  get isFresh(): boolean {
    return this.#now() - this.#renewedAt < this.options.leaseMs;
  }

  /** How many lanes it owns. */
  get size(): number {
    return this.#lanes.size;
  }

  /** Whether the lane is still this relay's under this epoch, as far as it knows. */
  holds(lane: OwnedLane): boolean {
    return this.#lanes.get(lane.lane) === lane;
  }

  /**
   * Renews the lease, drops the lanes that were lost and takes those that are due. With `standsBy`, leaves all lanes to
   * the others, if there are any.
   * @throws UserError when the cursors are not this database cluster's.
   */
  renew({ standsBy = false } = {}): Promise<void> {
    return this.#oneByOne(() => this.#renew(standsBy));
  }

  /** Drops lanes of which a settle has shown that they are somebody else's. */
  lose(lanes: readonly OwnedLane[]): void {
    for (const lane of lanes) {
      if (!this.holds(lane)) continue;
      this.#lanes.delete(lane.lane);
      this.options.metrics.leaseLosses.inc();
      this.options.logger.warn({ lane: lane.lane, epoch: lane.epoch }, 'another relay has taken this lane');
    }
    this.options.metrics.lanesOwned.set(this.#lanes.size);
  }

  /** Gives up what is beyond this relay's share. To be called between two pages, when no lane is in work. */
  async releaseSurplus(): Promise<void> {
    if (this.#lanes.size <= this.#share) return;
    await this.#oneByOne(() => this.#release(this.#sorted().slice(this.#share)));
  }

  /** Gives up everything and signs off, so that others need not wait for the lease to end. */
  async releaseAll(): Promise<void> {
    this.#renewedAt = Number.NEGATIVE_INFINITY;
    await this.#oneByOne(async () => {
      await this.#release(this.#sorted());
      await signOff(this.options.database, this.owner);
      this.#known = false;
    });
  }

  /** Empties the memory after an error: what the table says is read again by the next `renew`. */
  forgetAll(): void {
    this.#lanes.clear();
    this.options.metrics.lanesOwned.set(0);
  }

  async #renew(standsBy: boolean): Promise<void> {
    const { database, identity, leaseMs } = this.options;
    if (!this.#known) await forgetFormerSelf(database, identity);
    this.#known = true;
    const askedAt = this.#now();
    const { sharing, owned, lanes, closed } = await heartbeat(database, identity, leaseMs, standsBy);
    this.#renewedAt = askedAt;
    this.#share = shareOf(identity.id, sharing, lanes);
    const epochs = new Map(owned.map(({ lane, epoch }) => [lane, epoch]));
    this.lose(this.#sorted().filter(({ lane, epoch }) => epochs.get(lane) !== epoch));
    if (standsBy && this.#lanes.size > this.#share) await this.#release(this.#sorted().slice(this.#share));
    if (closed > 0) await this.#open();
    await this.#take(this.#share - this.#lanes.size);
    await this.#returnUnknown(owned.map(({ lane }) => lane));
  }

  /**
   * Gives up lanes that are this relay's by the table and not by its memory: giving them up before has failed half-way,
   * and nobody else may take them while this relay is alive.
   */
  async #returnUnknown(owned: readonly number[]): Promise<void> {
    const unknown = owned.filter((lane) => !this.#lanes.has(lane));
    await releaseLanes(this.options.database, this.owner, unknown);
  }

  async #open(): Promise<void> {
    const opened = await openLanes(this.options.database);
    if (opened.length > 0) this.options.logger.info({ lanes: opened }, 'opened new lanes');
  }

  async #take(atMost: number): Promise<void> {
    const { database, logger, metrics, policy } = this.options;
    const taken = await takeLanes(database, this.owner, [...this.#lanes.keys()], atMost);
    if (taken.length === 0) return;
    await refuseForeignCursors(database, taken);
    const numbers = taken.map(({ lane }) => lane);
    const blocked = await readBlocked(database, numbers, policy === 'pass');
    for (const { lane, epoch, cursor } of taken) {
      this.#lanes.set(lane, { lane, epoch, cursor, blocked: blocked.get(lane) ?? new Set() });
    }
    metrics.lanesOwned.set(this.#lanes.size);
    logger.info({ lanes: numbers, owned: this.#lanes.size }, 'took lanes');
  }

  async #release(lanes: readonly OwnedLane[]): Promise<void> {
    const numbers = lanes.map(({ lane }) => lane);
    for (const lane of numbers) this.#lanes.delete(lane);
    this.options.metrics.lanesOwned.set(this.#lanes.size);
    await releaseLanes(this.options.database, this.owner, numbers);
    if (numbers.length > 0) this.options.logger.info({ lanes: numbers }, 'gave lanes up');
  }

  #sorted(): OwnedLane[] {
    return [...this.#lanes.values()].sort((a, b) => a.lane - b.lane);
  }

  /** Leases change one step at a time: a release must not meet a take. */
  #oneByOne<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(work);
    this.#queue = done.catch(() => undefined);
    return done;
  }
}
