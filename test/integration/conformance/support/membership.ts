/** A group member spoken by hand, one request at a time. */
import { Writer } from '../../../../dev/broker/protocol/writer';
import type { RawClient } from './rawClient';

export interface JoinOptions {
  readonly group: string;
  readonly memberId?: string;
  readonly sessionTimeoutMs?: number;
  readonly rebalanceTimeoutMs?: number;
  readonly protocolType?: string;
  /** Names with metadata. */
  readonly protocols?: Readonly<Record<string, string>>;
}

export interface Joined {
  readonly error: number;
  readonly generation: number;
  readonly protocol: string;
  readonly leader: string;
  readonly memberId: string;
  readonly members: readonly { readonly id: string; readonly metadata: string }[];
}

export async function join(client: RawClient, options: JoinOptions): Promise<Joined> {
  const { group, memberId = '', sessionTimeoutMs = 10_000, rebalanceTimeoutMs = 10_000 } = options;
  // Of the type "consumer" Apache Kafka would read the metadata, which here is just text.
  const { protocolType = 'conformance', protocols = { range: 'metadata' } } = options;
  const body = new Writer().string(group).int32(sessionTimeoutMs).int32(rebalanceTimeoutMs).string(memberId);
  body
    .string(protocolType)
    .array(Object.entries(protocols), (writer, [name, metadata]) =>
      writer.string(name).bytes(Buffer.from(metadata)),
    );
  const answer = await client.request(11, 2, body);
  answer.int32();
  return {
    error: answer.int16(),
    generation: answer.int32(),
    protocol: answer.nullableString() ?? '',
    leader: answer.string(),
    memberId: answer.string(),
    members: answer.array((reader) => ({ id: reader.string(), metadata: reader.bytes().toString() })),
  };
}

export async function sync(
  client: RawClient,
  group: string,
  { generation, memberId }: Pick<Joined, 'generation' | 'memberId'>,
  assignments: Readonly<Record<string, string>> = {},
): Promise<{ error: number; assignment: string }> {
  const body = new Writer().string(group).int32(generation).string(memberId);
  body.array(Object.entries(assignments), (writer, [id, assignment]) =>
    writer.string(id).bytes(Buffer.from(assignment)),
  );
  const answer = await client.request(14, 1, body);
  answer.int32();
  return { error: answer.int16(), assignment: answer.bytes().toString() };
}

export async function heartbeat(
  client: RawClient,
  group: string,
  { generation, memberId }: Pick<Joined, 'generation' | 'memberId'>,
): Promise<number> {
  const answer = await client.request(12, 1, new Writer().string(group).int32(generation).string(memberId));
  answer.int32();
  return answer.int16();
}

export async function leave(client: RawClient, group: string, memberId: string): Promise<number> {
  const answer = await client.request(13, 1, new Writer().string(group).string(memberId));
  answer.int32();
  return answer.int16();
}

/** Returns the error code of each partition. */
export async function commit(
  client: RawClient,
  group: string,
  { generation, memberId }: Pick<Joined, 'generation' | 'memberId'>,
  offsets: readonly { topic: string; partition: number; offset: number; metadata?: string | null }[],
): Promise<number[]> {
  const body = new Writer().string(group).int32(generation).string(memberId).int64(-1);
  body.array(offsets, (writer, { topic, ...offset }) =>
    writer
      .string(topic)
      .array([offset], (nested, { partition, offset: position, metadata = null }) =>
        nested.int32(partition).int64(position).string(metadata),
      ),
  );
  const answer = await client.request(8, 2, body);
  const topics = answer.array((reader) => {
    reader.string();
    return reader.array((nested) => {
      nested.int32();
      return nested.int16();
    });
  });
  return topics.flat();
}

/** Nobody in particular: commits and the like from outside the group. */
export const outsider = { generation: -1, memberId: '' };
