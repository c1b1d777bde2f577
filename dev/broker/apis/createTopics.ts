import { errorCodes, outcomeOf, ProtocolError } from '../protocol/errorCodes';
import type { Reader } from '../protocol/reader';
import { Writer } from '../protocol/writer';
import { type Api, nodeId } from './api';

interface WantedTopic {
  readonly name: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  /** Where the caller places the replicas itself: the brokers of each partition. */
  readonly assignment: readonly (readonly number[])[];
  readonly configs: Readonly<Record<string, string | null>>;
}

export const createTopics: Api = {
  key: 19,
  name: 'CreateTopics',
  minVersion: 2,
  maxVersion: 4,
  handle(request, { store, defaultPartitions, refusals }) {
    const wanted = request.array(readTopic);
    request.int32(); // timeout: it is done at once
    const validateOnly = request.boolean();
    const results = wanted.map((topic) => ({
      name: topic.name,
      ...outcomeOf(() => {
        const refused = refusals('Create', topic.name);
        if (refused) throw new ProtocolError(errorCodes[refused], `"${topic.name}" is refused by a test.`);
        if (wanted.some((other) => other !== topic && other.name === topic.name)) {
          throw new ProtocolError(errorCodes.INVALID_REQUEST, 'Duplicate topic name.');
        }
        const partitions = countPartitions(topic, defaultPartitions);
        checkReplicas(topic);
        store.topics.create({ ...topic, partitions }, validateOnly);
      }),
    }));
    return new Writer()
      .int32(0)
      .array(results, (writer, { name, code, message }) => writer.string(name).int16(code).string(message));
  },
};

function readTopic(reader: Reader): WantedTopic {
  return {
    name: reader.string(),
    partitions: reader.int32(),
    replicationFactor: reader.int16(),
    assignment: reader.array((replica) => {
      replica.int32(); // the partition; they come in order
      return replica.array((broker) => broker.int32());
    }),
    configs: readConfigs(reader),
  };
}

/** Settings as several requests carry them: name, nullable value. */
export function readConfigs(reader: Reader): Record<string, string | null> {
  return Object.fromEntries(reader.array((config) => [config.string(), config.nullableString()] as const));
}

function countPartitions({ partitions, assignment }: WantedTopic, defaultPartitions: number): number {
  if (assignment.length > 0) return assignment.length;
  return partitions === -1 ? defaultPartitions : partitions;
}

function checkReplicas({ replicationFactor, assignment }: WantedTopic): void {
  if (assignment.some((brokers) => brokers.length !== 1 || brokers[0] !== nodeId)) {
    throw new ProtocolError(
      errorCodes.INVALID_REPLICA_ASSIGNMENT,
      `Broker ${nodeId} is the only one to place replicas on.`,
    );
  }
  if (assignment.length === 0 && replicationFactor !== 1 && replicationFactor !== -1) {
    throw new ProtocolError(
      errorCodes.INVALID_REPLICATION_FACTOR,
      `There is one broker: the replication factor can't be ${replicationFactor}.`,
    );
  }
}
