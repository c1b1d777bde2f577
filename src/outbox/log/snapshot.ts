/** A Postgres snapshot: which transactions had ended when it was taken. Ids are 64 bits wide and never come again. */
export interface Snapshot {
  /** As Postgres writes it: `xmin:xmax:xip,xip,…`. */
  readonly text: string;
  readonly xmin: bigint;
  /** The last id that had ended plus one. Higher ids may have been running all the same. */
  readonly xmax: bigint;
  /** Ids below `xmax` that were running. Top-level transactions only; prepared ones count as running. */
  readonly running: ReadonlySet<bigint>;
}

/** Reads the text form of a pg_snapshot. */
export function parseSnapshot(text: string): Snapshot {
  const [xmin, xmax, running] = text.split(':');
  if (!xmin || !xmax || running === undefined) throw new Error(`"${text}" is not a snapshot`);
  return {
    text,
    xmin: BigInt(xmin),
    xmax: BigInt(xmax),
    running: new Set(running === '' ? [] : running.split(',').map(BigInt)),
  };
}

/** Whether a transaction had ended when the snapshot was taken; the same as pg_visible_in_snapshot. */
export function hadEnded(xid: bigint, snapshot: Snapshot): boolean {
  return xid < snapshot.xmin || (xid < snapshot.xmax && !snapshot.running.has(xid));
}

/**
 * The transactions that may have been running at `done` and had ended at `now`: those that `done` lists, and those
 * from its xmax up to `lastXid`, the highest id that had been given out when `done` was taken. Without the second
 * part, events of transactions are lost that had begun before an earlier one's end and ended after it.
 */
export function stragglers(done: Snapshot, lastXid: bigint, now: Snapshot): bigint[] {
  const found = [...done.running];
  for (let xid = done.xmax; xid <= lastXid; xid += 1n) found.push(xid);
  return found.filter((xid) => hadEnded(xid, now));
}
