import type { Catalogue } from '../../events/catalogue';
import { type ReceivedMessage, readEvent } from '../../kafka/messages/readMessage';
import { claimEvent } from '../inbox';
import { explain } from '../explain';
import type { ClassifyError } from '../failurePolicy';
import { failed, type Outcome } from '../outcome';
import { type ConsumerDatabase, ownTransactionMs, transact } from '../transact';
import { putAside, type PutAside } from './putAside';
import type { Transaction } from '../transaction';

export interface PostponeDependencies<Tx extends Transaction> {
  readonly catalogue: Catalogue;
  readonly consumer: string;
  readonly topicPrefix: string;
  readonly database: ConsumerDatabase<Tx>;
  readonly classify?: ClassifyError | undefined;
}

/**
 * Puts an event aside whose handler has asked for it, with its inbox row, in a transaction of their own: what the handler
 * has written is rolled back. Never throws; when it fails, the message is to be offered again.
 */
export async function postpone<Tx extends Transaction>(
  message: ReceivedMessage,
  tried: NonNullable<PutAside['tried']>,
  dependencies: PostponeDependencies<Tx>,
): Promise<Outcome> {
  const { consumer, database } = dependencies;
  const parsed = readEvent(message, dependencies);
  // Its handler has been run.
  if (!parsed.ok) return failed({ kind: 'invalid', errorClass: 'InvalidMessage', reason: parsed.reason });
  const { event } = parsed;
  try {
    return await transact(database, ownTransactionMs, async (tx: Tx): Promise<Outcome> => {
      if ((await claimEvent(tx, consumer, event)) === 'duplicate') return { kind: 'duplicate' };
      await putAside(tx, { consumer, delivery: { event, message }, tried });
      return { kind: 'postponed' };
    });
  } catch (error) {
    return failed(await explain(error, event, { database }), error);
  }
}
