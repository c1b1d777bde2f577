/**
 * Fetch, with long polling: an answer waits until `minBytes` are there or `maxWaitMs` have passed, and is looked at
 * again at the very moment at which a record arrives, so that it reaches consumers without delay.
 */
import { type ErrorCode, errorCodes } from '../protocol/errorCodes';
import type { Reader } from '../protocol/reader';
import { Writer } from '../protocol/writer';
import type { PartitionLog } from '../storage/partitionLog';
import type { Topics } from '../storage/topics';
import type { Api, Refusals } from './api';

interface PartitionFetch {
  readonly partition: number;
  readonly offset: number;
  readonly maxBytes: number;
}

interface FetchRequest {
  readonly maxWaitMs: number;
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly topics: readonly { readonly name: string; readonly partitions: readonly PartitionFetch[] }[];
}

export const fetch: Api = {
  key: 1,
  name: 'Fetch',
  minVersion: 4,
  maxVersion: 4,
  async handle(reader, { store, gone, logger, refusals }) {
    const request = readRequest(reader);
    const topics = new ReadableTopics(store.topics, refusals);
    try {
      await waitForBytes(request, topics, gone);
      return answer(request, topics);
    } catch (error) {
      // The files may have been deleted under our hands. From an error code clients back off; from a connection that
      // is closed they come back at once, thousands of times a second.
      logger.error({ err: error }, 'failed to read a log');
      return refuse(request, errorCodes.KAFKA_STORAGE_ERROR);
    }
  },
};

async function waitForBytes(request: FetchRequest, topics: ReadableTopics, gone: AbortSignal): Promise<void> {
  const deadline = Date.now() + request.maxWaitMs;
  for (;;) {
    const { logs, bytes, failed } = survey(request, topics);
    const waitMs = deadline - Date.now();
    if (failed || bytes >= request.minBytes || waitMs <= 0 || gone.aborted) return;
    await anyChange(logs, waitMs, gone);
  }
}

function readRequest(reader: Reader): FetchRequest {
  reader.int32(); // replica id
  const maxWaitMs = reader.int32();
  const minBytes = reader.int32();
  const maxBytes = reader.int32();
  reader.int8(); // isolation level: without transactions both are the same
  const topics = reader.array((topic) => ({
    name: topic.string(),
    partitions: topic.array((partition) => ({
      partition: partition.int32(),
      offset: partition.int64(),
      maxBytes: partition.int32(),
    })),
  }));
  return { maxWaitMs, minBytes, maxBytes, topics };
}

/** What an answer would hold just now, without reading it. */
function survey(
  { topics }: FetchRequest,
  registry: ReadableTopics,
): { logs: PartitionLog[]; bytes: number; failed: boolean } {
  const logs: PartitionLog[] = [];
  let bytes = 0;
  for (const { name, partitions } of topics) {
    for (const { partition, offset, maxBytes } of partitions) {
      const { log, error } = registry.locate(name, partition, offset);
      if (log === undefined || error !== errorCodes.NONE) return { logs, bytes, failed: true };
      bytes += Math.min(log.bytesFrom(offset), Math.max(maxBytes, 1));
      logs.push(log);
    }
  }
  return { logs, bytes, failed: false };
}

/** The topics as a reader finds them. */
class ReadableTopics {
  constructor(
    private readonly topics: Topics,
    private readonly refusals: Refusals,
  ) {}

  locate(name: string, partition: number, offset: number): { log?: PartitionLog; error: ErrorCode } {
    const refused = this.refusals('Read', name);
    if (refused) return { error: errorCodes[refused] };
    const log = this.topics.find(name)?.partitions[partition];
    if (log === undefined) return { error: errorCodes.UNKNOWN_TOPIC_OR_PARTITION };
    const inRange = offset >= log.start && offset <= log.end;
    return { log, error: inRange ? errorCodes.NONE : errorCodes.OFFSET_OUT_OF_RANGE };
  }
}

function anyChange(logs: readonly PartitionLog[], waitMs: number, gone: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      gone.removeEventListener('abort', done);
      for (const forget of forgetters) forget();
      resolve();
    };
    const timer = setTimeout(done, waitMs);
    gone.addEventListener('abort', done);
    const forgetters = logs.map((log) => log.onChange(done));
  });
}

function answer({ topics, maxBytes }: FetchRequest, registry: ReadableTopics): Writer {
  let left = maxBytes;
  let isFirst = true;
  return new Writer().int32(0).array(topics, (writer, { name, partitions }) =>
    writer.string(name).array(partitions, (nested, wanted) => {
      const { log, error } = registry.locate(name, wanted.partition, wanted.offset);
      if (log === undefined || error !== errorCodes.NONE) {
        writeRefusal(nested, wanted, error);
        return;
      }
      const records = log.read(wanted.offset, Math.min(wanted.maxBytes, left), isFirst);
      isFirst &&= records.length === 0;
      left -= records.length;
      // High watermark, last stable offset, no aborted transactions.
      nested.int32(wanted.partition).int16(error).int64(log.end).int64(log.end).int32(-1).bytes(records);
    }),
  );
}

function refuse({ topics }: FetchRequest, error: ErrorCode): Writer {
  return new Writer()
    .int32(0)
    .array(topics, (writer, { name, partitions }) =>
      writer.string(name).array(partitions, (nested, wanted) => writeRefusal(nested, wanted, error)),
    );
}

function writeRefusal(writer: Writer, { partition }: PartitionFetch, error: ErrorCode): void {
  writer.int32(partition).int16(error).int64(-1).int64(-1).int32(-1).int32(0);
}
