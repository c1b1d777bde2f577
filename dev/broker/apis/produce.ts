import { errorCodes, type ErrorCode, ProtocolError } from '../protocol/errorCodes';
import { type BatchHeader, isIntact, readHeader } from '../protocol/recordBatch';
import { Writer } from '../protocol/writer';
import { maxMessageBytes } from '../storage/topicConfig';
import type { Api, RequestContext } from './api';

interface Appended {
  readonly error: ErrorCode;
  readonly baseOffset: number;
}

/** Version 0 is advertised, as by Apache Kafka 4, because librdkafka takes its lack for a lack of compression. */
export const produce: Api = {
  key: 0,
  name: 'Produce',
  minVersion: 0,
  maxVersion: 3,
  handle(request, context) {
    if (context.version < 3) throw new Error(`version ${context.version} of Produce ended with Kafka 4.0`);
    request.nullableString(); // transactional id: the batches say themselves whether they belong to a transaction
    const acks = request.int16();
    request.int32(); // timeout: there are no replicas to wait for
    const topics = request.array((reader) => {
      const topic = reader.string();
      return {
        topic,
        partitions: reader.array((nested) => write(nested.int32(), nested.nullableBytes(), topic)),
      };
    });
    function write(partition: number, batch: Buffer | null, topic: string): Appended & { partition: number } {
      return { partition, ...tryAppend(topic, partition, batch, acks, context) };
    }
    if (acks === 0) return closeOnError(topics.flatMap(({ partitions }) => partitions));
    return new Writer()
      .array(topics, (writer, { topic, partitions }) =>
        writer
          .string(topic)
          .array(partitions, (nested, { partition, error, baseOffset }) =>
            nested.int32(partition).int16(error).int64(baseOffset).int64(-1),
          ),
      )
      .int32(0);
  },
};

/** A producer that wants no answers can learn of an error in one way only: its connection is closed. */
function closeOnError(results: readonly Appended[]): undefined {
  const failed = results.find(({ error }) => error !== errorCodes.NONE);
  if (failed !== undefined) throw new Error(`a batch sent with acks=0 was refused with code ${failed.error}`);
}

function tryAppend(
  topic: string,
  partition: number,
  batch: Buffer | null,
  acks: number,
  { store, logger, refusals }: RequestContext,
): Appended {
  try {
    const refused = refusals('Write', topic);
    if (refused) throw new ProtocolError(errorCodes[refused], 'refused by a test');
    if (![-1, 0, 1].includes(acks)) throw new ProtocolError(errorCodes.INVALID_REQUIRED_ACKS, `acks=${acks}`);
    const log = store.topics.log(topic, partition);
    const { whole, header } = checkBatch(batch, maxMessageBytes(store.topics.get(topic).configs));
    return { error: errorCodes.NONE, baseOffset: log.append(whole, header) };
  } catch (error) {
    if (error instanceof ProtocolError) {
      logger.debug({ topic, partition, code: error.code, reason: error.message }, 'refused a batch');
      return { error: error.code, baseOffset: -1 };
    }
    logger.error({ err: error, topic, partition }, 'failed to write a batch');
    return { error: errorCodes.KAFKA_STORAGE_ERROR, baseOffset: -1 };
  }
}

/** One batch, in the present format, not too large, and as its producer sent it. */
function checkBatch(batch: Buffer | null, maxBytes: number): { whole: Buffer; header: BatchHeader } {
  const header = batch === null ? undefined : readHeader(batch);
  if (batch === null || header === undefined) throw new ProtocolError(errorCodes.INVALID_RECORD, 'no batch');
  if (header.magic !== 2) throw new ProtocolError(errorCodes.INVALID_RECORD, `format ${header.magic}`);
  if (header.size !== batch.length)
    throw new ProtocolError(errorCodes.INVALID_RECORD, 'not exactly one batch');
  if (header.size > maxBytes) {
    throw new ProtocolError(errorCodes.MESSAGE_TOO_LARGE, `${header.size} bytes are more than ${maxBytes}`);
  }
  if (!isIntact(batch, header)) throw new ProtocolError(errorCodes.CORRUPT_MESSAGE, 'checksum mismatch');
  if (header.baseOffset !== 0) throw new ProtocolError(errorCodes.INVALID_RECORD, 'an offset of its own');
  if (header.recordCount < 1 || header.recordCount !== header.lastOffsetDelta + 1) {
    throw new ProtocolError(errorCodes.INVALID_RECORD, 'record count and offsets differ');
  }
  if (header.transactional)
    throw new ProtocolError(errorCodes.INVALID_TXN_STATE, 'transactions are unknown here');
  return { whole: batch, header };
}
