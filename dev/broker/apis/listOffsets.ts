import { outcomeOf } from '../protocol/errorCodes';
import { Writer } from '../protocol/writer';
import type { Topics } from '../storage/topics';
import type { Api } from './api';

const latest = -1;
const earliest = -2;

/** The offset of the first record that is not older than a timestamp; or the first offset, or the next one. */
export const listOffsets: Api = {
  key: 2,
  name: 'ListOffsets',
  minVersion: 1,
  maxVersion: 1,
  handle(request, { store }) {
    request.int32(); // replica id
    const topics = request.array((topic) => ({
      name: topic.string(),
      partitions: topic.array((partition) => ({
        partition: partition.int32(),
        timestamp: partition.int64(),
      })),
    }));
    return new Writer().array(topics, (writer, { name, partitions }) =>
      writer.string(name).array(partitions, (nested, { partition, timestamp }) => {
        let found = { timestamp: -1, offset: -1 };
        const { code } = outcomeOf(() => {
          found = find(store.topics, name, partition, timestamp);
        });
        nested.int32(partition).int16(code).int64(found.timestamp).int64(found.offset);
      }),
    );
  },
};

function find(
  topics: Topics,
  name: string,
  partition: number,
  timestamp: number,
): { timestamp: number; offset: number } {
  const log = topics.log(name, partition);
  if (timestamp === latest) return { timestamp: -1, offset: log.end };
  if (timestamp === earliest) return { timestamp: -1, offset: log.start };
  return log.findSince(timestamp) ?? { timestamp: -1, offset: -1 };
}
