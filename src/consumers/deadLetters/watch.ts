import type { Pool } from 'pg';
import { Gauge, type Registry } from 'prom-client';
import { topicRanges } from '../../kafka/groups/topicRanges';
import type { KafkaClient } from '../../kafka/ports';
import type { Service } from '../../shared/lifecycle';
import type { Logger } from '../../shared/logger';
import { PollLoop } from '../../shared/pollLoop';
import { withDeadline } from '../../shared/withDeadline';
import { countOpenLetters } from './countOpen';

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
 * While they cannot be counted there is no figure: an old one, or 0, would look like good news.
 */
export class DeadLetterWatch implements Service {
  readonly name = 'dead-letter watch';
  readonly #loop: PollLoop;

  constructor(options: DeadLetterWatchOptions) {
    const { kafka, topic, registry, logger, pool, intervalMs = defaultIntervalMs } = options;
    const gauge = new Gauge({
      name: 'signalbox_dead_letters_waiting',
      help: 'Dead letters that were neither replayed nor discarded, of all consumers (every process reports the same: take max(), not sum())',
      registers: [registry],
    });
    // A gauge without labels begins with a 0 of its own.
    gauge.remove();
    this.#loop = new PollLoop({
      name: this.name,
      intervalMs,
      backoff: { initialMs: Math.min(1_000, intervalMs), maxMs: intervalMs },
      run: async () => {
        const ranges = await withDeadline(topicRanges(kafka, topic), answerWithinMs);
        if (ranges === 'hidden') throw new Error(`this account may not see ${topic}`);
        gauge.set(await countOpenLetters(pool, ranges));
        return false;
      },
      onError: (error, attempt) => {
        gauge.remove();
        logger[attempt === 1 ? 'warn' : 'debug'](
          { err: error },
          'the dead letters cannot be counted; trying again',
        );
      },
    });
  }

  start(): Promise<void> {
    return this.#loop.start();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }
}
