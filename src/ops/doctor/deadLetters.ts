import type { Pool } from 'pg';
import { deadLetterTopic } from '../../kafka/topics/topicNames';
import { topicRanges } from '../dlq/letters';
import type { KafkaTools } from '../kafka';
import { counted } from '../output/counted';
import { type Check, type Finding, ok, warn } from './finding';

/** How many dead letters nobody has dealt with: counted by offsets, without reading them. */
export function deadLetterCheck({ kafka, config }: KafkaTools, pool: Pool): Check {
  const check = 'dead letters';
  return {
    name: check,
    run: async (): Promise<Finding[]> => {
      const topic = deadLetterTopic(config.KAFKA_TOPIC_PREFIX);
      let open = 0;
      for (const { partition, from, to } of await topicRanges(kafka, topic)) {
        const { rows } = await pool.query<{ settled: number }>(
          `SELECT count(*)::int AS settled FROM signalbox.settled_dead_letter
           WHERE "topic" = $1 AND "partition" = $2 AND "offset" >= $3 AND "offset" < $4`,
          [topic, partition, String(from), String(to)],
        );
        open += Math.max(0, Number(to - from) - (rows[0]?.settled ?? 0));
      }
      if (open === 0) return [ok(check, 'none is to be dealt with')];
      return [
        warn(check, `${counted(open, 'dead letter')} to be dealt with`, 'See "npx signalbox ops dlq list".'),
      ];
    },
  };
}
