import { recordEvent } from '../inbox';
import type { Outcome } from '../outcome';
import type { Source } from '../source';
import { type AggregateRef, releaseNext } from './release';
import { type Held, removePostponed, stillHeld } from './settle';
import type { Transaction } from '../transaction';

const lost: Outcome = { kind: 'duplicate' };

/**
 * A delivery out of signalbox.postponed_event. Its inbox row was written when it was put aside; it is renewed, so that
 * the inbox remembers the event for as long as one that was processed at once.
 */
export function postponedSource<Tx extends Transaction>(held: Held): Source<Tx> {
  let aggregate: AggregateRef | undefined;
  const remove = async (tx: Tx): Promise<boolean> => {
    aggregate = await removePostponed(tx, held);
    if (aggregate) await recordEvent(tx, held.consumer, held.eventId);
    return aggregate !== undefined;
  };
  const release = async (tx: Tx): Promise<void> => {
    if (aggregate) await releaseNext(tx, held.consumer, aggregate);
  };
  return {
    claim: async (tx) => ((await remove(tx)) ? undefined : lost),
    // Not before the handler has ended: later events may have arrived meanwhile.
    complete: release,
    lease: async (tx) => ((await stillHeld(tx, held)) ? undefined : lost),
    finish: async (tx) => {
      await remove(tx);
      await release(tx);
    },
    // The row is given a new time, which ends its lease.
    release: async () => undefined,
  };
}
