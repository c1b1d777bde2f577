import type { Pool } from 'pg';
import { Gauge, type Registry } from 'prom-client';
import type { KafkaClient } from '../../kafka/ports';
import { topicOffsets } from '../../kafka/topics/topicOffsets';
import { topicPresence } from '../../kafka/topics/topicPresence';
import { withAdmin } from '../../kafka/withAdmin';
import type { Service } from '../../shared/lifecycle';
import type { Logger } from '../../shared/logger';
import { PollLoop } from '../../shared/pollLoop';
import { withDeadline } from '../../shared/withDeadline';
import { countOpenLetters, type LetterRange } from './countOpen';

export interface DeadLetterWatchOptions {
  readonly kafka: KafkaClient;
  /** The dead-letter topic. */
  readonly topic: string;
  readonly pool: Pick<Pool, 'query'>;
  readonly registry: Registry;
  readonly logger: Logger;
  /** Time from one count to the next, in milliseconds. */
  readonly intervalMs?: number;
}

const defaultIntervalMs = 15_000;
const answerWithinMs = 10_000;

/**
 * Counts the dead letters that wait for an operator, of all groups that share the topic, and shows them as a figure.
 * What was counted last stands until Kafka and the database answer again.
 */
export class DeadLetterWatch implements Service {
  readonly name = 'dead-letter watch';
  readonly #loop: PollLoop;

  constructor(options: DeadLetterWatchOptions) {
    const { registry, logger, pool, intervalMs = defaultIntervalMs } = options;
    const gauge = new Gauge({
      name: 'signalbox_dead_letters_waiting',
      help: 'Dead letters that were neither replayed nor discarded, of all consumers (every process reports the same: take max(), not sum())',
      registers: [registry],
    });
    gauge.set(0);
    this.#loop = new PollLoop({
      name: this.name,
      intervalMs,
      backoff: { initialMs: Math.min(1_000, intervalMs), maxMs: intervalMs },
      run: async () => {
        const ranges = await withDeadline(letterRanges(options), answerWithinMs);
        gauge.set(await countOpenLetters(pool, ranges));
        return false;
      },
      onError: (error) => logger.debug({ err: error }, 'the dead letters could not be counted'),
    });
  }

  start(): Promise<void> {
    return this.#loop.start();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }
}

/** All that the topic holds now; nothing where it does not exist yet. Rejects when this account may not see it. */
function letterRanges({ kafka, topic }: DeadLetterWatchOptions): Promise<LetterRange[]> {
  return withAdmin(kafka, async (admin) => {
    if ((await topicPresence(admin, [topic])).get(topic) === 'missing') return [];
    const offsets = await topicOffsets(admin, topic);
    return offsets.map(({ partition, low, high }) => ({
      topic,
      partition,
      from: BigInt(low),
      to: BigInt(high),
    }));
  });
}
