import type { Logger } from '../../shared/logger';
import { describeTopicTrouble, type TopicTrouble } from './topicTrouble';

/** Writes the log lines about topics in trouble: one when a trouble begins or changes, and one when it is over. */
export class TopicReports {
  readonly #reported = new Map<string, string>();

  constructor(private readonly options: { readonly logger: Logger; readonly account?: string | undefined }) {}

  /** These are all topics in trouble now. One that is missing here may only be about to be tried again. */
  report(troubles: Iterable<TopicTrouble>): void {
    const { logger, account } = this.options;
    for (const trouble of troubles) {
      const { topic, state, operation, type } = trouble;
      const description = describeTopicTrouble(trouble, account);
      if (this.#reported.get(topic) === description) continue;
      this.#reported.set(topic, description);
      const remedy = state === 'missing' ? ' Create it, or set KAFKA_CREATE_TOPICS=true.' : '';
      logger.warn(
        { topic, state, operation, error: type, account },
        `${description} Its events are held back; the others go on.${remedy}`,
      );
    }
  }

  /** Messages of these topics were acknowledged. */
  acknowledge(topics: readonly string[]): void {
    if (this.#reported.size === 0) return;
    for (const topic of topics) {
      if (this.#reported.delete(topic))
        this.options.logger.info({ topic }, 'the topic can be written to again');
    }
  }
}
