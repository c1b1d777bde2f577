import { errorCodes, outcomeOf } from '../protocol/errorCodes';
import { Writer } from '../protocol/writer';
import { checkTopicName } from '../storage/topicName';
import type { Topic, Topics } from '../storage/topics';
import { type Api, nodeId } from './api';

/** Topics are never created because somebody asks for them. */
export const metadata: Api = {
  key: 3,
  name: 'Metadata',
  minVersion: 4,
  maxVersion: 4,
  handle(request, { store, address, refusals }) {
    const names = request.nullableArray((reader) => reader.string());
    const all = (): string[] => store.topics.list().map(({ name }) => name);
    const refused = (name: string): number => {
      const error = refusals('Describe', name);
      return error === undefined ? errorCodes.NONE : errorCodes[error];
    };
    // What may not be seen is left out where nobody has asked for it.
    const hidden = errorCodes.TOPIC_AUTHORIZATION_FAILED;
    const asked = names ?? all().filter((name) => refused(name) !== hidden);
    return new Writer()
      .int32(0)
      .array([address], (writer, { host, port }) =>
        writer.int32(nodeId).string(host).int32(port).string(null),
      )
      .string(store.identity.clusterId)
      .int32(nodeId)
      .array(asked, (writer, name) => writeTopic(writer, name, refused(name), store.topics));
  },
};

function writeTopic(writer: Writer, name: string, refused: number, topics: Topics): void {
  const topic = refused === errorCodes.NONE ? topics.find(name) : undefined;
  writer
    .int16(topic === undefined ? refused || whyMissing(name) : errorCodes.NONE)
    .string(name)
    .boolean(false)
    .array([...(topic?.partitions.keys() ?? [])], writePartition);
}

function whyMissing(name: string): number {
  return outcomeOf(() => checkTopicName(name)).code || errorCodes.UNKNOWN_TOPIC_OR_PARTITION;
}

function writePartition(writer: Writer, partition: Topic['partitions']['length']): void {
  writer.int16(errorCodes.NONE).int32(partition).int32(nodeId);
  for (let list = 0; list < 2; list += 1) writer.array([nodeId], (nested, node) => nested.int32(node));
}
