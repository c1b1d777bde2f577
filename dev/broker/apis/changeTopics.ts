/** What is done to existing topics: DeleteTopics, CreatePartitions, DeleteRecords. */
import { outcomeOf } from '../protocol/errorCodes';
import { Writer } from '../protocol/writer';
import type { Api } from './api';

export const deleteTopics: Api = {
  key: 20,
  name: 'DeleteTopics',
  minVersion: 1,
  maxVersion: 1,
  handle(request, { store }) {
    const names = request.array((reader) => reader.string());
    return new Writer()
      .int32(0)
      .array(names, (writer, name) =>
        writer.string(name).int16(outcomeOf(() => store.topics.delete(name)).code),
      );
  },
};

export const createPartitions: Api = {
  key: 37,
  name: 'CreatePartitions',
  minVersion: 0,
  maxVersion: 1,
  handle(request, { store }) {
    const wanted = request.array((topic) => {
      const name = topic.string();
      const count = topic.int32();
      topic.nullableArray((assignment) => assignment.array((broker) => broker.int32()));
      return { name, count };
    });
    request.int32(); // timeout: it is done at once
    const validateOnly = request.boolean();
    return new Writer().int32(0).array(wanted, (writer, { name, count }) => {
      const { code, message } = outcomeOf(() => store.topics.addPartitions(name, count, validateOnly));
      writer.string(name).int16(code).string(message);
    });
  },
};

export const deleteRecords: Api = {
  key: 21,
  name: 'DeleteRecords',
  minVersion: 0,
  maxVersion: 1,
  handle(request, { store }) {
    const topics = request.array((topic) => ({
      name: topic.string(),
      partitions: topic.array((partition) => ({ partition: partition.int32(), offset: partition.int64() })),
    }));
    return new Writer().int32(0).array(topics, (writer, { name, partitions }) =>
      writer.string(name).array(partitions, (nested, { partition, offset }) => {
        let start = -1;
        const { code } = outcomeOf(() => {
          start = store.topics.deleteRecords(name, partition, offset);
        });
        nested.int32(partition).int64(start).int16(code);
      }),
    );
  },
};
