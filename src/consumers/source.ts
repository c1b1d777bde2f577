import type { Outcome } from './outcome';
import type { Transaction } from './transaction';

/**
 * Where a delivery comes from (a topic, or signalbox.postponed_event), as far as it decides how its event is claimed.
 * All of it runs in transactions of the caller.
 */
export interface Source<Tx extends Transaction = Transaction> {
  /**
   * Claims the event in the transaction of its effect. An outcome says that it is not to be processed here and now;
   * the transaction is to be committed all the same.
   */
  claim(tx: Tx): Promise<Outcome | undefined>;
  /** Called in the same transaction when the handler has ended. */
  complete?(tx: Tx): Promise<void>;
  /** Claims the event of an effect outside of the database: takes the lease that keeps others away until it expires. */
  lease(tx: Tx): Promise<Outcome | undefined>;
  /** Notes that the effect has happened, or is not wanted, and ends the lease. */
  finish(tx: Tx): Promise<void>;
  /** Ends the lease of an effect that has failed. */
  release(tx: Tx): Promise<void>;
}
