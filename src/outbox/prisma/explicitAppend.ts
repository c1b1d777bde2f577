import type { Catalogue } from '../../events/catalogue';
import { CaptureError } from '../captureError';
import { explicitEvent } from '../explicitEvent';
import type { MappedEvent } from '../mapping';
import { transactionIdOf } from './internals';

/** An explicit event as a caller gives it to `$append`. */
export interface ExplicitEvent {
  readonly aggregateId: string;
  readonly data: unknown;
}

/**
 * What an `$append` of either engine has to store, and the transaction in which.
 * @throws CaptureError when the client is outside a transaction, or when the data does not fit the catalogue.
 */
export function explicitAppend(
  client: object,
  catalogue: Catalogue,
  eventType: string,
  { aggregateId, data }: ExplicitEvent,
): { readonly transactionId: string; readonly event: MappedEvent } {
  const transactionId = transactionIdOf(client);
  if (transactionId === undefined) {
    throw new CaptureError(
      `$append('${eventType}') needs a transaction: prisma.$transaction(async (tx) => { …; await tx.$append(…) })`,
    );
  }
  return { transactionId, event: explicitEvent(catalogue, eventType, aggregateId, data) };
}
