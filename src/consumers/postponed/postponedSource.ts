import type { Prisma } from '../../generated/prisma/client';
import { recordEvent } from '../inbox';
import type { Outcome } from '../outcome';
import type { Source } from '../source';
import { type Held, removePostponed, stillHeld } from './settle';

const lost: Outcome = { kind: 'duplicate' };

/**
 * A delivery out of signalbox.postponed_event. Its inbox row was written when it was put aside; it is renewed, so that
 * the inbox remembers the event for as long as one that was processed at once.
 */
export function postponedSource<Tx extends Prisma.TransactionClient>(held: Held): Source<Tx> {
  const finish = async (tx: Tx): Promise<boolean> => {
    const removed = await removePostponed(tx, held);
    if (removed) await recordEvent(tx, held.consumer, held.eventId);
    return removed;
  };
  return {
    claim: async (tx) => ((await finish(tx)) ? undefined : lost),
    lease: async (tx) => ((await stillHeld(tx, held)) ? undefined : lost),
    finish: async (tx) => void (await finish(tx)),
    // The row is given a new time, which ends its lease.
    release: async () => undefined,
  };
}
