import { randomUUID } from 'node:crypto';
import { claimEvent, lookUpEvent, recordEvent } from './inbox';
import { endLease, takeLease } from './effectLease';
import { failed, type Outcome } from './outcome';
import { type LaterEvents, putAside } from './postponed/putAside';
import type { Delivery } from './runHandler';
import type { Source } from './source';
import type { Transaction } from './transaction';

export interface TopicSourceOptions {
  readonly consumer: string;
  readonly laterEvents: LaterEvents;
  /** How long the lease of an effect lasts, in milliseconds. */
  readonly leaseMs: number;
}

/** A delivery from Kafka: the inbox knows whether the event is new. */
export function topicSource<Tx extends Transaction>(
  delivery: Delivery,
  { consumer, laterEvents, leaseMs }: TopicSourceOptions,
): Source<Tx> {
  const { event } = delivery;
  const token = randomUUID();
  const lease = { consumer, eventId: event.event_id, token };
  const behind = async (tx: Tx): Promise<Outcome> => {
    await putAside(tx, { consumer, delivery });
    return { kind: 'postponed' };
  };
  return {
    claim: async (tx) => {
      const claim = await claimEvent(tx, consumer, event);
      if (claim === 'duplicate') return { kind: 'duplicate' };
      return claim === 'behind' && laterEvents === 'wait' ? behind(tx) : undefined;
    },
    lease: async (tx) => {
      if (!(await takeLease(tx, lease, leaseMs))) return failed(inHandElsewhere);
      // After the lease and not before: a process that finishes deletes its lease and notes the event in one transaction.
      const claim = await lookUpEvent(tx, consumer, event);
      if (claim === 'new' || (claim === 'behind' && laterEvents === 'pass')) return undefined;
      await endLease(tx, lease);
      if (claim === 'duplicate') return { kind: 'duplicate' };
      await recordEvent(tx, consumer, event.event_id);
      return behind(tx);
    },
    finish: async (tx) => {
      await recordEvent(tx, consumer, event.event_id);
      await endLease(tx, lease);
    },
    release: (tx) => endLease(tx, lease),
  };
}

const inHandElsewhere = {
  kind: 'own',
  errorClass: 'LeaseTaken',
  reason: 'another process is at work on this event, or has died over it: its lease has to expire',
} as const;
