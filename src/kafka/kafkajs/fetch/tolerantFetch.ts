/*
 * One batch that cannot be read costs its own partition, not the consumer.
 *
 * kafkajs 2.2.4 decodes the answer to a fetch as a whole: a batch of a codec that it does not know, or a damaged one,
 * ends the consumer, and the next one meets the same batch. What is put in the place of its decoder cuts the records
 * off before such a batch and adds a mark that looks like a message: it reaches the consumer of that partition with
 * everything that came before it. Checksums are verified too, as Java's client does and kafkajs does not.
 */
import { findUnreadable, isIntact, type UnreadableBatch } from './batches';
import { findRecordSets, type RecordSet } from './recordSets';

/** On what stands in the place of the messages of an unreadable batch; always the last one of what a fetch returns. */
const mark = Symbol('unreadable batch');

interface Answer {
  readonly responses: readonly {
    readonly topicName: string;
    readonly partitions: readonly { readonly partition: number; readonly messages: unknown[] }[];
  }[];
}

type Decode = (answer: Buffer) => Promise<Answer>;

interface Unreadable extends RecordSet {
  readonly batch: UnreadableBatch;
}

// Inner files of kafkajs without types; test/unit/kafka/tolerantFetch.test.ts notices if they change.
/* eslint-disable typescript/no-require-imports */
const responses = new Map<number, { decode: Decode }>([
  [4, require('kafkajs/src/protocol/requests/fetch/v4/response') as { decode: Decode }],
  [5, require('kafkajs/src/protocol/requests/fetch/v5/response') as { decode: Decode }],
  [6, require('kafkajs/src/protocol/requests/fetch/v6/response') as { decode: Decode }],
  [7, require('kafkajs/src/protocol/requests/fetch/v7/response') as { decode: Decode }],
  [8, require('kafkajs/src/protocol/requests/fetch/v8/response') as { decode: Decode }],
  [9, require('kafkajs/src/protocol/requests/fetch/v9/response') as { decode: Decode }],
  [10, require('kafkajs/src/protocol/requests/fetch/v10/response') as { decode: Decode }],
  [11, require('kafkajs/src/protocol/requests/fetch/v11/response') as { decode: Decode }],
]);
const Decoder = require('kafkajs/src/protocol/decoder') as new (bytes: Buffer) => object;
const decodeBatch = require('kafkajs/src/protocol/recordBatch/v0/decoder') as (
  from: object,
) => Promise<unknown>;
/* eslint-enable typescript/no-require-imports */

let done = false;

/** Makes this process's kafkajs read around batches that it cannot read. May be called repeatedly. */
export function fetchTolerantly(): void {
  if (done) return;
  done = true;
  for (const [version, response] of responses) {
    const { decode } = response;
    response.decode = (answer) => decodeAround(answer, version, decode);
  }
}

/** Takes the mark of an unreadable batch off the end of what was fetched, if there is one. */
export function takeUnreadable(messages: unknown[]): UnreadableBatch | undefined {
  const last = messages.at(-1) as { readonly [mark]?: UnreadableBatch } | undefined;
  if (last?.[mark]) messages.pop();
  return last?.[mark];
}

/** @throws what `decode` throws, when the reason is not a batch. */
async function decodeAround(answer: Buffer, version: number, decode: Decode): Promise<Answer> {
  const sets = findRecordSets(answer, version);
  let failure: unknown;
  try {
    if (sets.every(({ bytes }) => isIntact(bytes))) return await decode(answer);
  } catch (error) {
    failure = error;
  }
  const unreadable = await allUnreadable(sets);
  if (unreadable.length === 0) throw failure;
  return withMarks(await decode(cutOff(answer, unreadable)), unreadable);
}

async function allUnreadable(sets: readonly RecordSet[]): Promise<Unreadable[]> {
  const found: Unreadable[] = [];
  for (const set of sets) {
    const batch = await findUnreadable(set.bytes, (bytes) => decodeBatch(new Decoder(bytes)));
    if (batch) found.push({ ...set, batch });
  }
  return found;
}

/** The answer with each of these record sets ending before the batch that cannot be read. */
function cutOff(answer: Buffer, unreadable: readonly Unreadable[]): Buffer {
  const parts: Buffer[] = [];
  let from = 0;
  for (const { lengthAt, bytes, batch } of unreadable) {
    const length = Buffer.alloc(4);
    length.writeInt32BE(batch.at);
    parts.push(answer.subarray(from, lengthAt), length, bytes.subarray(0, batch.at));
    from = lengthAt + 4 + bytes.length;
  }
  return Buffer.concat([...parts, answer.subarray(from)]);
}

function withMarks(answer: Answer, unreadable: readonly Unreadable[]): Answer {
  for (const { topicName, partitions } of answer.responses) {
    for (const { partition, messages } of partitions) {
      const found = unreadable.find((one) => one.topic === topicName && one.partition === partition);
      if (found) messages.push(markOf(found.batch));
    }
  }
  return answer;
}

/** Its offset is the batch's last one: the fetch may have begun in the middle of the batch. */
function markOf(batch: UnreadableBatch): object {
  return {
    [mark]: batch,
    offset: String(BigInt(batch.next) - 1n),
    timestamp: '0',
    key: null,
    value: null,
    headers: {},
    isControlRecord: false,
    batchContext: { producerId: '-1', inTransaction: false },
  };
}
