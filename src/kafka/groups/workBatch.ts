import type { EachBatch } from '../ports';
import { isRebalance } from '../errorTypes';
import type { ReceivedMessage } from '../messages/readMessage';

/** What became of a message: it is dealt with, or its partition has to wait and offer it again. */
export type Verdict = { readonly kind: 'done' } | { readonly kind: 'again'; readonly afterMs: number };

/** Deals with several messages in one go. */
export interface HandleTogether {
  /** How many at most. */
  readonly most: number;
  /**
   * Resolves to how many of them, from the first on, are done with; 0 when the first must be handled by itself.
   * Between two messages it asks `mustEnd` whether to leave the others for later.
   */
  readonly handle: (messages: readonly ReceivedMessage[], mustEnd: () => boolean) => Promise<number>;
}

export interface BatchWork {
  readonly handle: (message: ReceivedMessage) => Promise<Verdict>;
  readonly together: HandleTogether;
  /** Asked before each message. */
  readonly isStopping: () => boolean;
  /** False for readers that leave no trace in the group. */
  readonly commit: boolean;
  readonly commitIntervalMs: number;
  readonly heartbeatIntervalMs: number;
  /** What all batches of one member share: a rebalance ends each of them at its next message boundary. */
  readonly membership: { lost?: unknown };
}

/** Where nothing is gained by dealing with several messages in one go. */
export const oneByOne: HandleTogether = { most: 1, handle: async () => 0 };

/**
 * Works through one batch in order. Ends early, always between two messages, when a message has to wait (its verdict
 * is returned), when the consumer is stopping, and (by throwing, so that kafkajs joins the group again) when the
 * broker has said that the partitions are being handed out anew. Offsets of what is done are committed in any case.
 */
export async function workBatch(payload: EachBatch, work: BatchWork): Promise<Verdict> {
  const pulse = startPulse(payload, work);
  const isOver = (): boolean => work.isStopping() || !payload.isRunning() || payload.isStale();
  const { messages } = payload.batch;
  let step: Step = { verdict: { kind: 'done' }, done: 0 };
  let committedAt = Date.now();
  try {
    for (let next = 0; next < messages.length && !isOver();) {
      pulse.throwIfLost();
      const several = messages.slice(next, next + work.together.most);
      step = await stepOn(
        several.map((message) => received(payload, message)),
        work,
        () => isOver() || pulse.isLost(),
      );
      next += step.done;
      if (step.verdict.kind === 'again') break;
      payload.resolveOffset(messages[next - 1]?.offset ?? '');
      if (Date.now() - committedAt >= work.commitIntervalMs) {
        await commit(payload, work);
        committedAt = Date.now();
      }
    }
    await commit(payload, work);
    pulse.throwIfLost();
    return step.verdict;
  } catch (error) {
    // While members are still being gathered a commit is accepted, and spares the next owner duplicates.
    if (isRebalance(error)) await commit(payload, work).catch(() => undefined);
    throw error;
  } finally {
    pulse.stop();
  }
}

interface Step {
  readonly verdict: Verdict;
  /** How many messages it has dealt with; none when the verdict is "again". */
  readonly done: number;
}

/** As many messages as can be dealt with in one go, or the first by itself. */
async function stepOn(
  messages: readonly ReceivedMessage[],
  { together, handle }: BatchWork,
  mustEnd: () => boolean,
): Promise<Step> {
  const [first] = messages;
  const done = messages.length > 1 ? await together.handle(messages, mustEnd) : 0;
  if (done > 0 || !first) return { verdict: { kind: 'done' }, done };
  const verdict = await handle(first);
  return { verdict, done: verdict.kind === 'done' ? 1 : 0 };
}

async function commit(payload: EachBatch, { commit }: BatchWork): Promise<void> {
  if (commit) await payload.commitOffsetsIfNecessary(payload.uncommittedOffsets());
}

function received({ batch }: EachBatch, message: EachBatch['batch']['messages'][number]): ReceivedMessage {
  const { offset, timestamp, key, value, headers = {} } = message;
  return { topic: batch.topic, partition: batch.partition, offset, timestamp, key, value, headers };
}

/** Heartbeats from a timer, so that a handler may take longer than the session's time-out. */
function startPulse(payload: EachBatch, { membership, heartbeatIntervalMs }: BatchWork) {
  let failure: unknown;
  const timer = setInterval(() => {
    payload.heartbeat().catch((error: unknown) => {
      failure = error;
      if (isRebalance(error)) membership.lost = error;
    });
  }, heartbeatIntervalMs);
  return {
    stop: () => clearInterval(timer),
    isLost: () => membership.lost !== undefined || failure !== undefined,
    throwIfLost: () => {
      const lost = membership.lost ?? failure;
      if (lost !== undefined) throw lost;
    },
  };
}
