import type { EachBatchPayload } from 'kafkajs';
import { isRebalance } from './errorTypes';
import type { ReceivedMessage } from './readMessage';

/** What became of a message: it is dealt with, or its partition has to wait and offer it again. */
export type Verdict = { readonly kind: 'done' } | { readonly kind: 'again'; readonly afterMs: number };

export interface BatchWork {
  readonly handle: (message: ReceivedMessage) => Promise<Verdict>;
  /** Asked before each message. */
  readonly isStopping: () => boolean;
  /** False for readers that leave no trace in the group. */
  readonly commit: boolean;
  readonly commitIntervalMs: number;
  readonly heartbeatIntervalMs: number;
  /** What all batches of one member share: a rebalance ends each of them at its next message boundary. */
  readonly membership: { lost?: unknown };
}

/**
 * Works through one batch in order. Ends early, always between two messages, when a message has to wait (its verdict
 * is returned), when the consumer is stopping, and (by throwing, so that kafkajs joins the group again) when the
 * broker has said that the partitions are being handed out anew. Offsets of what is done are committed in any case.
 */
export async function workBatch(payload: EachBatchPayload, work: BatchWork): Promise<Verdict> {
  const pulse = startPulse(payload, work);
  let verdict: Verdict = { kind: 'done' };
  let committedAt = Date.now();
  try {
    for (const message of payload.batch.messages) {
      if (work.isStopping() || !payload.isRunning() || payload.isStale()) break;
      pulse.throwIfLost();
      verdict = await work.handle(received(payload, message));
      if (verdict.kind === 'again') break;
      payload.resolveOffset(message.offset);
      if (Date.now() - committedAt >= work.commitIntervalMs) {
        await commit(payload, work);
        committedAt = Date.now();
      }
    }
    await commit(payload, work);
    pulse.throwIfLost();
    return verdict;
  } catch (error) {
    // While members are still being gathered a commit is accepted, and spares the next owner duplicates.
    if (isRebalance(error)) await commit(payload, work).catch(() => undefined);
    throw error;
  } finally {
    pulse.stop();
  }
}

async function commit(payload: EachBatchPayload, { commit }: BatchWork): Promise<void> {
  if (commit) await payload.commitOffsetsIfNecessary(payload.uncommittedOffsets());
}

function received(
  { batch }: EachBatchPayload,
  message: EachBatchPayload['batch']['messages'][number],
): ReceivedMessage {
  const { offset, timestamp, key, value, headers = {} } = message;
  return { topic: batch.topic, partition: batch.partition, offset, timestamp, key, value, headers };
}

/** Heartbeats from a timer, so that a handler may take longer than the session's time-out. */
function startPulse(payload: EachBatchPayload, { membership, heartbeatIntervalMs }: BatchWork) {
  let failure: unknown;
  const timer = setInterval(() => {
    payload.heartbeat().catch((error: unknown) => {
      failure = error;
      if (isRebalance(error)) membership.lost = error;
    });
  }, heartbeatIntervalMs);
  return {
    stop: () => clearInterval(timer),
    throwIfLost: () => {
      const lost = membership.lost ?? failure;
      if (lost !== undefined) throw lost;
    },
  };
}
