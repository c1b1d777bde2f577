import type { Catalogue, EventDefinition } from '../events/catalogue';
import { dataFaults } from '../events/checkData';
import { isCarriable } from '../events/instants';
import { batchBytes, encodeEvent, type OutgoingMessage } from '../kafka/messages/message';
import type { LogRow } from '../outbox/log/readPage';
import type { SetAside } from '../outbox/log/settle';

/** An event that is ready to be sent, or the reason why it never can be. */
export type Prepared =
  | { readonly row: LogRow; readonly message: OutgoingMessage }
  | { readonly row: LogRow; readonly fault: Pick<SetAside, 'reason' | 'detail'> };

export interface PrepareOptions {
  readonly catalogue: Catalogue;
  readonly topicPrefix: string;
  readonly maxMessageBytes: number;
  readonly extraHeaders?: Readonly<Record<string, string>>;
}

/** Builds and checks an event's message before anything is sent, so that one bad row fails nobody else's. */
export function prepare(
  row: LogRow,
  { catalogue, topicPrefix, maxMessageBytes, extraHeaders }: PrepareOptions,
): Prepared {
  const definition = catalogue.find(row.eventType);
  if (!definition) {
    return {
      row,
      fault: {
        reason: 'unknown_type',
        detail: `The catalogue of this relay has no event type "${row.eventType}".`,
      },
    };
  }
  if (row.data === null) return tooLarge(row, row.dataBytes, maxMessageBytes);
  let message: OutgoingMessage;
  try {
    const faults = faultsOf(row, definition, row.data);
    if (faults !== undefined) {
      const detail = `Consumers would refuse its data, which are not what the catalogue says: ${faults}.`;
      return { row, fault: { reason: 'refused', detail } };
    }
    message = encodeEvent({ ...row, data: row.data }, topicPrefix, extraHeaders);
  } catch (error) {
    return { row, fault: { reason: 'refused', detail: `Its message cannot be built: ${nameOf(error)}.` } };
  }
  const bytes = batchBytes(message.bytes);
  return bytes > maxMessageBytes ? tooLarge(row, bytes, maxMessageBytes) : { row, message };
}

/** Of the envelope only the time is not ours: whoever writes past the engines may set it. */
const faultsOf = ({ occurredAt }: LogRow, definition: EventDefinition, data: string): string | undefined =>
  isCarriable(occurredAt) ? dataFaults(definition, data) : 'timestamp: not in the years 1 to 9999';

/** Its name only: what it says may quote the event. */
const nameOf = (error: unknown): string => (error instanceof Error ? error.name : typeof error);

function tooLarge(row: LogRow, bytes: number, maxMessageBytes: number): Prepared {
  const detail = `The message has ${bytes} bytes, KAFKA_MAX_MESSAGE_BYTES allows ${maxMessageBytes}.`;
  return { row, fault: { reason: 'too_large', detail } };
}
