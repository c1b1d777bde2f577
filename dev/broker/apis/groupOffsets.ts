/** Committed offsets: OffsetCommit and OffsetFetch. */
import { errorCodes, type ErrorCode } from '../protocol/errorCodes';
import type { Reader } from '../protocol/reader';
import { Writer } from '../protocol/writer';
import type { CommittedOffset } from '../storage/entries';
import type { Topics } from '../storage/topics';
import type { Api } from './api';

const maxMetadataBytes = 4_096;

export const offsetCommit: Api = {
  key: 8,
  name: 'OffsetCommit',
  minVersion: 2,
  maxVersion: 2,
  handle(request, { coordinator, store, refusals }) {
    const group = request.string();
    const generation = request.int32();
    const memberId = request.string();
    request.int64(); // retention time: offsets are kept until the group is deleted
    const topics = request.array(readTopic);
    const groupError = coordinator.checkCommit(group, memberId, generation);
    const judge = (offset: CommittedOffset): ErrorCode => {
      const refused = refusals('Read', offset.topic);
      return groupError || (refused ? errorCodes[refused] : errorOf(offset, store.topics));
    };
    const accepted = topics.flatMap(({ offsets }) =>
      offsets.filter((offset) => judge(offset) === errorCodes.NONE),
    );
    store.offsets.commit(group, accepted);
    return new Writer().array(topics, (writer, { topic, offsets }) =>
      writer
        .string(topic)
        .array(offsets, (nested, offset) => nested.int32(offset.partition).int16(judge(offset))),
    );
  },
};

export const offsetFetch: Api = {
  key: 9,
  name: 'OffsetFetch',
  minVersion: 3,
  maxVersion: 3,
  handle(request, { store }) {
    const group = request.string();
    const asked = request.nullableArray((topic) => ({
      topic: topic.string(),
      partitions: topic.array((partition) => partition.int32()),
    }));
    return new Writer()
      .int32(0)
      .array(asked ?? allCommitted(store.offsets.all(group)), (writer, { topic, partitions }) =>
        writer.string(topic).array(partitions, (nested, partition) => {
          const committed = store.offsets.find(group, topic, partition);
          nested
            .int32(partition)
            .int64(committed?.offset ?? -1)
            .string(committed?.metadata ?? '')
            .int16(errorCodes.NONE);
        }),
      )
      .int16(errorCodes.NONE);
  },
};

function readTopic(reader: Reader): { topic: string; offsets: CommittedOffset[] } {
  const topic = reader.string();
  const offsets = reader.array((partition) => ({
    topic,
    partition: partition.int32(),
    offset: partition.int64(),
    metadata: partition.nullableString(),
  }));
  return { topic, offsets };
}

function errorOf({ topic, partition, metadata }: CommittedOffset, topics: Topics): ErrorCode {
  if (topics.find(topic)?.partitions[partition] === undefined) return errorCodes.UNKNOWN_TOPIC_OR_PARTITION;
  const tooLarge = Buffer.byteLength(metadata ?? '') > maxMetadataBytes;
  return tooLarge ? errorCodes.OFFSET_METADATA_TOO_LARGE : errorCodes.NONE;
}

function allCommitted(offsets: readonly CommittedOffset[]): { topic: string; partitions: number[] }[] {
  const topics = new Set(offsets.map(({ topic }) => topic));
  return [...topics].map((topic) => ({
    topic,
    partitions: offsets.filter((offset) => offset.topic === topic).map(({ partition }) => partition),
  }));
}
