import type { Pool } from 'pg';
import { KafkaPublisher } from '../../kafka/publish/producer';
import { replayHeaders } from '../../kafka/deadLetters/replay';
import type { LogRow } from '../../outbox/log/readPage';
import { readReplayable, type ReplaySelection } from '../../outbox/log/replayable';
import { checkTarget } from '../../outbox/log/target';
import { type Publication, publishInOrder, type PublishOptions } from '../../relay/publishInOrder';
import { backoffMs } from '../../shared/backoff';
import { UserError } from '../../shared/lifecycle';
import { sleep } from '../../shared/sleep';
import type { Tools } from '../command';
import { isKafkaEnabled, withKafka } from '../kafka';
import { createProgress } from '../output/progress';
import { mergeLanes } from './mergeLanes';

/** Beside `replay.at`: which replay a message belongs to. */
const replayIdHeader = 'replay.id';
/** Events of one send, and rows of one lane read at a time. */
const batchRows = 500;
const pageRows = 100;
const attempts = 5;
const backoff = { initialMs: 500, maxMs: 5_000 };

export interface SendOptions {
  readonly selection: ReplaySelection;
  readonly lanes: readonly number[];
  readonly total: number;
  readonly replayId: string;
  readonly signal: AbortSignal;
}

export interface Replayed {
  readonly published: number;
  /** Events that Kafka can't take, as they could not be published the first time. */
  readonly refused: readonly { sequence: string; eventId: string; eventType: string; detail: string }[];
  /** The sequence up to which all is done, when it ended early; null when all is done. */
  readonly stoppedAt: string | null;
  /** What Kafka answered, when that ended it. */
  readonly failure?: string;
}

/** Sends the selected events in order, until done, interrupted, or Kafka has failed too often. */
export async function sendReplay(tools: Tools, pool: Pool, options: SendOptions): Promise<Replayed> {
  if (!isKafkaEnabled(tools.environment)) {
    throw new UserError('KAFKA_ENABLED is false: nothing can be published.');
  }
  return withKafka(tools, async ({ catalogue, kafka, config }) => {
    const publisher = new KafkaPublisher({
      kafka,
      catalogue,
      topics: config,
      compression: config.KAFKA_COMPRESSION,
      logger: tools.logger,
      account: config.KAFKA_SASL_USERNAME,
    });
    const publishing: PublishOptions = {
      catalogue,
      publisher,
      topicPrefix: config.KAFKA_TOPIC_PREFIX,
      maxMessageBytes: config.KAFKA_MAX_MESSAGE_BYTES,
      policy: 'pass',
      account: config.KAFKA_SASL_USERNAME,
      extraHeaders: { [replayIdHeader]: options.replayId, [replayHeaders.at]: new Date().toISOString() },
      isStopping: () => options.signal.aborted,
      onSent: () => undefined,
      onPoison: () => undefined,
    };
    try {
      await refuseOtherTarget(pool, publisher, config.KAFKA_TOPIC_PREFIX);
      return await sendAll(tools, pool, options, publishing);
    } finally {
      await publisher.disconnect();
    }
  });
}

/** Where Kafka cannot be reached, the sends say so. */
async function refuseOtherTarget(pool: Pool, publisher: KafkaPublisher, topicPrefix: string): Promise<void> {
  const failure = await publisher.ready();
  if (!failure) await checkTarget(pool, { clusterId: publisher.clusterId ?? '', topicPrefix });
}

async function sendAll(
  { stderr }: Tools,
  pool: Pool,
  { selection, lanes, total, signal }: SendOptions,
  publishing: PublishOptions,
): Promise<Replayed> {
  const progress = createProgress({ stream: stderr, total, unit: 'events' });
  const refused: Replayed['refused'][number][] = [];
  let { after: stoppedAt } = selection;
  let published = 0;
  try {
    const rows = mergeLanes(lanes, { after: selection.after, pageRows }, (lane, after) =>
      readReplayable(pool, selection, { lane, after, dataBytes: publishing.maxMessageBytes, rows: pageRows }),
    );
    for await (const batch of inBatches(rows)) {
      const { done, setAside, failure } = await sendBatch(batch, publishing, signal);
      published += done - setAside.length;
      refused.push(
        ...setAside.map(({ row, detail }) => ({
          sequence: row.position,
          eventId: row.eventId,
          eventType: row.eventType,
          detail,
        })),
      );
      stoppedAt = batch[done - 1]?.position ?? stoppedAt;
      progress.advance(done);
      if (failure) return { published, refused, stoppedAt, failure: failure.type };
      if (done < batch.length) return { published, refused, stoppedAt };
    }
    return { published, refused, stoppedAt: null };
  } finally {
    progress.end();
  }
}

async function* inBatches(rows: AsyncIterable<LogRow>): AsyncGenerator<LogRow[], void, undefined> {
  let batch: LogRow[] = [];
  for await (const row of rows) {
    batch.push(row);
    if (batch.length < batchRows) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** Tries again what may succeed later, a few times: somebody is watching, and can go on where it stopped. */
async function sendBatch(
  batch: readonly LogRow[],
  publishing: PublishOptions,
  signal: AbortSignal,
): Promise<Publication> {
  const blocked = new Set<string>();
  let done = 0;
  const setAside: Publication['setAside'][number][] = [];
  for (let attempt = 1; ; attempt += 1) {
    const rest = batch.slice(done).map((row) => ({ row, blocked }));
    const publication = await publishInOrder(rest, publishing);
    done += publication.done;
    setAside.push(...publication.setAside);
    const { failure } = publication;
    if (!failure || failure.kind === 'fatal' || attempt === attempts)
      return { ...publication, done, setAside };
    await sleep(backoffMs(attempt, backoff), signal);
  }
}
