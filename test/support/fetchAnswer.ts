/** Answers to a fetch, as brokers write them, for each version that kafkajs asks for. */
import { Writer } from '../../dev/broker/protocol/writer';

export interface AnsweredPartition {
  readonly partition: number;
  readonly records: Buffer;
}

/** The bytes after the correlation id. Topics and partitions keep their order. */
export function fetchAnswer(version: number, topics: Readonly<Record<string, AnsweredPartition[]>>): Buffer {
  const writer = new Writer().int32(0);
  if (version >= 7) writer.int16(0).int32(0);
  writer.array(Object.entries(topics), (nested, [topic, partitions]) =>
    nested
      .string(topic)
      .array(partitions, (inner, { partition, records }) =>
        writePartition(inner, version, partition, records),
      ),
  );
  return Buffer.concat(writer.chunks());
}

function writePartition(writer: Writer, version: number, partition: number, records: Buffer): Writer {
  writer.int32(partition).int16(0).int64(1_000).int64(1_000);
  if (version >= 5) writer.int64(0);
  // One aborted transaction, so that a wrong length would be noticed.
  writer.array([1], (nested, producer) => nested.int64(producer).int64(5_000));
  if (version >= 11) writer.int32(-1);
  return writer.bytes(records);
}
