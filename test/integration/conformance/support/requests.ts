/** The requests that the tests make by hand, in versions that Apache Kafka 4 and the dev broker both know. */
import { Writer } from '../../../../dev/broker/protocol/writer';
import type { RawClient } from './rawClient';

export const errors = {
  NONE: 0,
  OFFSET_OUT_OF_RANGE: 1,
  CORRUPT_MESSAGE: 2,
  UNKNOWN_TOPIC_OR_PARTITION: 3,
  MESSAGE_TOO_LARGE: 10,
  OFFSET_METADATA_TOO_LARGE: 12,
  INVALID_TOPIC_EXCEPTION: 17,
  INVALID_REQUIRED_ACKS: 21,
  ILLEGAL_GENERATION: 22,
  INCONSISTENT_GROUP_PROTOCOL: 23,
  INVALID_GROUP_ID: 24,
  UNKNOWN_MEMBER_ID: 25,
  INVALID_SESSION_TIMEOUT: 26,
  REBALANCE_IN_PROGRESS: 27,
  UNSUPPORTED_VERSION: 35,
  TOPIC_ALREADY_EXISTS: 36,
  INVALID_PARTITIONS: 37,
  INVALID_REPLICATION_FACTOR: 38,
  INVALID_REPLICA_ASSIGNMENT: 39,
  INVALID_CONFIG: 40,
  INVALID_REQUEST: 42,
  OUT_OF_ORDER_SEQUENCE_NUMBER: 45,
  INVALID_PRODUCER_EPOCH: 47,
  NON_EMPTY_GROUP: 68,
  GROUP_ID_NOT_FOUND: 69,
  INVALID_RECORD: 87,
} as const;

export interface Produced {
  readonly error: number;
  readonly baseOffset: number;
}

/** Sends one batch (or what passes for one) to one partition. */
export async function produce(
  client: RawClient,
  topic: string,
  batch: Buffer | null,
  { acks = -1, partition = 0 } = {},
): Promise<Produced> {
  const body = new Writer().string(null).int16(acks).int32(30_000);
  body.array([topic], (writer, name) =>
    writer.string(name).array([batch], (nested, bytes) => nested.int32(partition).bytes(bytes)),
  );
  const answer = await client.request(0, 3, body);
  const [result] = answer.array((reader) => {
    reader.string();
    return reader.array((nested) => {
      nested.int32();
      const produced = { error: nested.int16(), baseOffset: nested.int64() };
      nested.int64();
      return produced;
    });
  });
  return result?.[0] ?? { error: Number.NaN, baseOffset: Number.NaN };
}

export interface FetchOptions {
  readonly partitions: readonly { topic: string; partition?: number; offset: number; maxBytes?: number }[];
  readonly maxWaitMs?: number;
  readonly minBytes?: number;
  readonly maxBytes?: number;
}

export interface Fetched {
  readonly topic: string;
  readonly partition: number;
  readonly error: number;
  readonly highWatermark: number;
  readonly records: Buffer;
}

export async function fetch(client: RawClient, options: FetchOptions): Promise<Fetched[]> {
  const { partitions, maxWaitMs = 0, minBytes = 1, maxBytes = 50_000_000 } = options;
  const body = new Writer().int32(-1).int32(maxWaitMs).int32(minBytes).int32(maxBytes).int8(0);
  body.array(partitions, (writer, { topic, partition = 0, offset, maxBytes: limit = 1_048_576 }) =>
    writer.string(topic).array([offset], (nested, from) => nested.int32(partition).int64(from).int32(limit)),
  );
  const answer = await client.request(1, 4, body);
  answer.int32();
  const topics = answer.array((reader) => {
    const topic = reader.string();
    return reader.array((nested) => {
      const fetched = {
        topic,
        partition: nested.int32(),
        error: nested.int16(),
        highWatermark: nested.int64(),
      };
      nested.int64();
      nested.array((aborted) => [aborted.int64(), aborted.int64()]);
      return { ...fetched, records: nested.nullableBytes() ?? Buffer.alloc(0) };
    });
  });
  return topics.flat();
}

export async function newProducerId(client: RawClient): Promise<{ producerId: number; epoch: number }> {
  const answer = await client.request(22, 0, new Writer().string(null).int32(60_000));
  answer.int32();
  const error = answer.int16();
  if (error !== 0) throw new Error(`InitProducerId was answered with ${error}.`);
  return { producerId: answer.int64(), epoch: answer.int16() };
}

export interface TopicToCreate {
  readonly name: string;
  readonly partitions?: number;
  readonly replicationFactor?: number;
  readonly assignment?: readonly (readonly number[])[];
  readonly configs?: Readonly<Record<string, string>>;
}

/** Returns the error codes by topic. */
export async function createTopics(
  client: RawClient,
  topics: readonly TopicToCreate[],
  { validateOnly = false } = {},
): Promise<Record<string, number>> {
  const body = new Writer().array(
    topics,
    (writer, { name, partitions = 1, replicationFactor = 1, assignment = [], configs = {} }) =>
      writer
        .string(name)
        .int32(assignment.length > 0 ? -1 : partitions)
        .int16(assignment.length > 0 ? -1 : replicationFactor)
        .array([...assignment.entries()], (nested, [partition, brokers]) =>
          nested.int32(partition).array(brokers, (broker, id) => broker.int32(id)),
        )
        .array(Object.entries(configs), (nested, [key, value]) => nested.string(key).string(value)),
  );
  const answer = await client.request(19, 2, body.int32(30_000).boolean(validateOnly));
  answer.int32();
  return Object.fromEntries(
    answer.array((reader) => {
      const result = [reader.string(), reader.int16()] as const;
      reader.nullableString();
      return result;
    }),
  );
}
