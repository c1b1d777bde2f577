import type { KafkaClient } from '../ports';
import { topicOffsets } from '../topics/topicOffsets';
import { topicPresence } from '../topics/topicPresence';
import { withAdmin } from '../withAdmin';
import type { Range } from './readRange';

/** All that a topic holds now: empty if it does not exist yet, `hidden` if this account may not see it. */
export function topicRanges(kafka: KafkaClient, topic: string): Promise<Range[] | 'hidden'> {
  return withAdmin(kafka, async (admin) => {
    const presence = (await topicPresence(admin, [topic])).get(topic);
    if (presence === 'missing') return [];
    if (presence === 'hidden') return 'hidden';
    return (await topicOffsets(admin, topic)).map(({ partition, low, high }) => ({
      topic,
      partition,
      from: BigInt(low),
      to: BigInt(high),
    }));
  });
}
