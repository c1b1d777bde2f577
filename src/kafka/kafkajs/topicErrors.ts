/*
 * kafkajs 2.2.4 reports that a request failed, and with which error, but not for which topic: of all the topics that
 * an answer tells of, it throws the first error and forgets the rest. So the parsers of the answers that name topics
 * are wrapped: what they throw carries what Kafka said of each topic.
 *
 * It also asks for all topics of the cluster where it wants to know the brokers only, and fails when any of them, which
 * may be another team's, has a partition without a leader. Such an answer is taken as it is.
 */

/** What Kafka said of one topic in an answer. */
export interface TopicError {
  readonly topic: string;
  /** Kafka's name of the error: TOPIC_AUTHORIZATION_FAILED, … */
  readonly type: string;
  /** Kafka's own words, where the answer has any. */
  readonly message?: string;
}

interface Response {
  /** Throws for an answer that holds an error. */
  parse: (data: unknown) => Promise<unknown>;
}

interface Partition {
  readonly errorCode?: number;
  readonly partitionErrorCode?: number;
}

/** The parts of a decoded answer that tell of topics, as kafkajs names them in the different requests. */
interface Entry {
  readonly topic?: string;
  readonly topicName?: string;
  readonly errorCode?: number;
  readonly topicErrorCode?: number;
  readonly errorMessage?: string | null;
  readonly partitions?: readonly Partition[];
  readonly partitionMetadata?: readonly Partition[];
}

interface Answer {
  readonly topics?: readonly Entry[];
  readonly responses?: readonly Entry[];
  readonly topicErrors?: readonly Entry[];
  readonly topicMetadata?: readonly Entry[];
}

// Inner files of kafkajs without types; test/integration/relay/topicTroubles.test.ts notices if they change.
// eslint-disable-next-line typescript/no-require-imports
const { failure, createErrorFromCode } = require('kafkajs/src/protocol/error') as {
  failure: (code: number) => boolean;
  createErrorFromCode: (code: number) => { type: string };
};

interface Broker {
  metadata: (topics?: readonly string[]) => Promise<unknown>;
}

// eslint-disable-next-line typescript/no-require-imports
const { prototype: broker } = require('kafkajs/src/broker') as { prototype: Broker };

/** Requests whose answers name topics, with the highest version that kafkajs speaks. */
const requests = { produce: 7, fetch: 11, metadata: 6, createTopics: 3, offsetCommit: 5, listOffsets: 3 };

let done = false;

/** Makes this process's kafkajs say which topics an error is about. May be called repeatedly. */
export function nameFailedTopics(): void {
  if (done) return;
  done = true;
  const responses = new Set<Response>();
  for (const [request, highest] of Object.entries(requests)) {
    for (let version = 0; version <= highest; version += 1) {
      // eslint-disable-next-line typescript/no-require-imports
      responses.add(require(`kafkajs/src/protocol/requests/${request}/v${version}/response`) as Response);
    }
  }
  for (const response of responses) response.parse = naming(response.parse);
  broker.metadata = tolerating(broker.metadata);
}

function tolerating(metadata: Broker['metadata']): Broker['metadata'] {
  return async function metadataOf(this: Broker, topics = []) {
    try {
      return await metadata.call(this, topics);
    } catch (error) {
      const { answer } = error as { answer?: unknown };
      if (topics.length > 0 || answer === undefined) throw error;
      return answer;
    }
  };
}

function naming(parse: Response['parse']): Response['parse'] {
  return async (data) => {
    try {
      return await parse(data);
    } catch (error) {
      throw Object.assign(error as Error, { topicErrors: failedTopics(data as Answer), answer: data });
    }
  };
}

function failedTopics({ topics, responses, topicErrors, topicMetadata }: Answer): TopicError[] {
  const entries = topics ?? responses ?? topicErrors ?? topicMetadata ?? [];
  return entries.flatMap((entry) => {
    const code = codeOf(entry);
    if (code === undefined) return [];
    const { type } = createErrorFromCode(code);
    const message = entry.errorMessage;
    return [{ topic: entry.topic ?? entry.topicName ?? '', type, ...(message ? { message } : {}) }];
  });
}

/** The topic's own error, or else the first of its partitions'. */
function codeOf(entry: Entry): number | undefined {
  const partitions = entry.partitions ?? entry.partitionMetadata ?? [];
  return [
    entry.topicErrorCode ?? entry.errorCode ?? 0,
    ...partitions.map(({ errorCode, partitionErrorCode }) => errorCode ?? partitionErrorCode ?? 0),
  ].find((code) => failure(code));
}

/** What Kafka said of single topics, in an error and everything that caused it; empty when it is about none. */
export function topicErrorsOf(error: unknown): readonly TopicError[] {
  for (let current = error, depth = 0; current instanceof Error && depth < 10; depth += 1) {
    const { topicErrors, cause, originalError } = current as {
      topicErrors?: readonly TopicError[];
      cause?: unknown;
      originalError?: unknown;
    };
    if (topicErrors) return topicErrors;
    current = cause ?? originalError;
  }
  return [];
}
