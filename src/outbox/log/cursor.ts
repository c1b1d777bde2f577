/*
 * How the outbox is read: nothing lost, nothing twice, nothing of an aggregate out of order.
 *
 * Many transactions append to the log at once. A position is drawn from a sequence before its transaction commits, so
 * rows become visible in another order than that of their positions, and late: "position > last" loses the late ones.
 * The rule here is that of PgQ, the queue of Skytools: a batch holds the rows that are visible in a snapshot T and
 * were not visible in the previous snapshot D, ordered by position. When a batch is done, its T becomes D.
 *
 * NOT TWICE. What is visible in D is never in a batch that follows it, whatever its position.
 *
 * NOT OUT OF ORDER. Take two changes of one aggregate, both committed. The second one waited for the row lock of the
 * first, that is, for its commit, and drew its position after it had the lock (the outbox insert comes after the model
 * write; an append that holds no row lock takes an advisory one). So, first, it has the higher position: the sequence
 * has no cache. Second, a snapshot that sees the second change sees the first: both are in one batch, sorted, or the
 * first is in an earlier one. Order by transaction id would be wrong: a transaction gets its id before it waits.
 * All events of an aggregate lie in one lane, so nothing need hold between lanes.
 *
 * NOT LOST. "Visible in T and not in D" is no condition that an index answers. It is taken apart by three statements
 * that open a batch, in this order: the sequence's last value, the FLOOR (never a higher one: openBatch.ts says how);
 * the snapshot T together with an id of this transaction's own, X; the sequence's last value again, the CEILING. A
 * transaction t that D does not see was either
 *
 *   - given its id after X(D): then it drew its positions after that, hence above floor(D), which had been read
 *     before. A transaction has its id before it draws a position: the table's column order sees to it. Whatever T
 *     sees of it lies at or below ceiling(T). This is the MAIN RANGE:
 *         floor(D) < position <= ceiling(T), txid > X(D), visible in T         index (lane, position)
 *   - or given its id before X(D): then it was running at D. Either D lists it, or its id is xmax(D) or higher, for a
 *     snapshot's xmax is only the last *ended* id plus one. These are the STRAGGLERS, each looked up by itself:
 *         txid in xip(D) or xmax(D) <= txid <= X(D), visible in T              index (txid, lane, position)
 *
 * The two parts do not overlap (txid > X(D) against txid <= X(D)), and D sees no row of either. Rolled back rows are
 * never visible, whatever gap they leave. Subtransactions (savepoints) have ids of their own that count as ended;
 * rows carry the id of their top-level transaction, so such an id finds nothing. A prepared transaction counts as
 * running for as long as it is neither committed nor rolled back.
 *
 * Were the three statements to share one snapshot (repeatable read), T would only be older than its floor. Nothing
 * above needs it to be younger: rows that T does not see are stragglers of, or lie above, the next batch.
 *
 * ONE SNAPSHOT FOR ALL LANES. The argument is about one lane's D and T; it needs no more of T than that it was taken
 * after D. So each lane may meet the same T with a D of its own. A lane in the middle of a batch keeps its T until it
 * has reached the end: the rows of (D, T) are a fixed set, and "up to position p of it" says what is published.
 *
 * CRASHES. A transaction that only looks writes nothing, so a server that crashes forgets that its id was ever given, and
 * gives it again, to a writer; it may set the sequence back as well. A cursor in the table is safe: the commit that put
 * it there has a higher id, and was flushed. One that is only in memory, or about to be settled, is not: in its snapshot
 * the writer's id has ended, and the writer's events would be passed over. So a look says in which life of the server
 * it was made, and what was learned in another is thrown away.
 *
 * COST. Each batch reads index entries from floor(D) on, however old the table is, plus one probe for each straggler
 * that has ended. A transaction that stays open costs a number in a list. A lane that was idle has nothing above its
 * floor. In memory its D moves with every look; in the table it stays (an idle lane writes nothing), which is right
 * because nothing lies between the two; whoever reads the old cursor makes its probes once.
 */
import { type Snapshot, parseSnapshot, stragglers } from './snapshot';

/** A moment in the life of the log: what opening a batch gives. */
export interface Moment {
  readonly snapshot: Snapshot;
  /** An id given out with the snapshot: lower ids had been given before. */
  readonly xid: bigint;
  /** No transaction with a higher id than `xid` has drawn a position up to this. */
  readonly floor: bigint;
}

/** A moment that a batch is read up to. */
export interface Horizon extends Moment {
  /** No row that the snapshot sees has a higher position. */
  readonly ceiling: bigint;
}

/** What is published of a lane: what `done` sees and, within an unfinished batch, its rows up to `position`. */
export interface Cursor {
  readonly done: Moment;
  readonly batch?: { readonly horizon: Horizon; readonly position: bigint };
}

/** The cursor of a lane of which nothing is published. */
export const nothingPublished: Cursor = {
  done: { snapshot: parseSnapshot('1:1:'), xid: 0n, floor: 0n },
};

/** What the next page of a lane is made of; see the header. */
export interface PageRequest {
  readonly lane: number;
  /** Lower end of the main range, excluded. */
  readonly mainAfter: bigint;
  /** Lower end for stragglers, excluded. */
  readonly after: bigint;
  readonly done: Moment;
  readonly horizon: Horizon;
  readonly stragglers: readonly bigint[];
  /** Whether it goes on with a batch that was opened earlier: when that ends, there may be more to read at once. */
  readonly resumed: boolean;
}

/** The next page: of the unfinished batch if there is one, else the first of a batch up to `now`. */
export function pageRequest(lane: number, { done, batch }: Cursor, now: Horizon): PageRequest {
  const horizon = batch?.horizon ?? now;
  const after = batch?.position ?? 0n;
  return {
    lane,
    mainAfter: after > done.floor ? after : done.floor,
    after,
    done,
    horizon,
    stragglers: stragglers(done.snapshot, done.xid, horizon.snapshot),
    resumed: batch !== undefined,
  };
}

/** The cursor when rows of the requested page up to `position` are published and more of the batch may follow. */
export function withinBatch({ done, horizon }: PageRequest, position: bigint): Cursor {
  return { done, batch: { horizon, position } };
}

/** The cursor when the requested page is published and was the batch's last. */
export function batchDone({ horizon }: PageRequest): Cursor {
  return { done: horizon };
}
