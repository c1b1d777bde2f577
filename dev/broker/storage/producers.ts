/**
 * What a partition remembers of its idempotent producers, as Apache Kafka does: the epoch and the last five batches
 * of each. A batch that comes again is not written again and gets its first answer; one that leaves a gap is refused.
 * Rebuilt from the batch headers in the log at start, so that a restart forgets nothing.
 */
import { errorCodes, ProtocolError } from '../protocol/errorCodes';
import type { BatchHeader } from '../protocol/recordBatch';

interface RememberedBatch {
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly baseOffset: number;
}

interface ProducerState {
  readonly epoch: number;
  /** Oldest first. */
  readonly batches: readonly RememberedBatch[];
}

const rememberedBatches = 5;
const sequences = 0x8000_0000;

export class Producers {
  private readonly states = new Map<number, ProducerState>();

  /** Beyond `limit` producers those are forgotten that wrote longest ago. */
  constructor(private readonly limit = 1_000) {}

  /**
   * The base offset under which this batch was written already; undefined when it is new and comes in order.
   * @throws ProtocolError for an old epoch or a gap in the sequence.
   */
  findDuplicate(header: BatchHeader): number | undefined {
    const state = this.states.get(header.producerId);
    if (header.producerId < 0 || state === undefined) return undefined;
    if (header.producerEpoch < state.epoch) {
      throw new ProtocolError(
        errorCodes.INVALID_PRODUCER_EPOCH,
        `Producer ${header.producerId} has gone on to epoch ${state.epoch}.`,
      );
    }
    if (header.producerEpoch > state.epoch) return requireNext(header, 0);
    const same = state.batches.find(
      (batch) => batch.firstSequence === header.baseSequence && batch.lastSequence === lastSequenceOf(header),
    );
    if (same !== undefined) return same.baseOffset;
    const last = state.batches.at(-1)?.lastSequence ?? -1;
    return requireNext(header, (last + 1) % sequences);
  }

  /** Takes note of a batch that was written. */
  remember(header: BatchHeader): void {
    if (header.producerId < 0) return;
    const known = this.states.get(header.producerId);
    const batches = known?.epoch === header.producerEpoch ? known.batches : [];
    const batch = {
      firstSequence: header.baseSequence,
      lastSequence: lastSequenceOf(header),
      baseOffset: header.baseOffset,
    };
    this.states.delete(header.producerId);
    this.states.set(header.producerId, {
      epoch: header.producerEpoch,
      batches: [...batches, batch].slice(-rememberedBatches),
    });
    const [oldest] = this.states.keys();
    if (this.states.size > this.limit && oldest !== undefined) this.states.delete(oldest);
  }
}

function requireNext(header: BatchHeader, expected: number): undefined {
  if (header.baseSequence === expected) return undefined;
  throw new ProtocolError(
    errorCodes.OUT_OF_ORDER_SEQUENCE_NUMBER,
    `Producer ${header.producerId} sent sequence ${header.baseSequence} where ${expected} was expected.`,
  );
}

function lastSequenceOf(header: BatchHeader): number {
  return (header.baseSequence + header.lastOffsetDelta) % sequences;
}
