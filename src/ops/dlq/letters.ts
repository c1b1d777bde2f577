/* The dead letters that a command is about, read from their topic as it is at this moment. */
import type { ClientBase } from 'pg';
import { type ReadDeadLetter, readDeadLetter } from '../../kafka/deadLetters/readDeadLetter';
import type { ReceivedMessage } from '../../kafka/messages/readMessage';
import { countRanges, type Range, readRange } from '../../kafka/groups/readRange';
import { topicRanges } from '../../kafka/groups/topicRanges';
import { deadLetterTopic } from '../../kafka/topics/topicNames';
import { UserError } from '../../shared/lifecycle';
import type { Tools } from '../command';
import type { KafkaTools } from '../kafka';
import { createProgress } from '../output/progress';
import { isSelected, type Selection } from './selection';
import { letterKey, readSettlements, type Settlement } from './settlements';

export interface FoundLetter extends ReadDeadLetter {
  /** Undefined while it is still to be dealt with. */
  readonly settlement?: Settlement;
}

export interface LettersOptions {
  readonly selection: Selection;
  /** Settled letters too. */
  readonly settled: boolean;
  readonly onLetter: (letter: FoundLetter, message: ReceivedMessage) => Promise<void> | void;
}

/** Calls `onLetter` for each selected letter, those of one key in the order in which they were given up. */
export async function readLetters(
  { logger, stderr }: Tools,
  { kafka, config }: KafkaTools,
  database: Pick<ClientBase, 'query'>,
  { selection, settled, onLetter }: LettersOptions,
): Promise<void> {
  const topic = deadLetterTopic(config.KAFKA_TOPIC_PREFIX);
  const settlements = await readSettlements(database, topic);
  const ranges = (await letterRanges(kafka, topic)).map((range) => narrowed(range, selection));
  const progress = createProgress({
    stream: stderr,
    total: countRanges(ranges),
    unit: 'dead letters',
  });
  try {
    await readRange({
      kafka,
      logger,
      ranges,
      onMessage: async (message) => {
        progress.advance(1);
        const letter = readDeadLetter(message, config.KAFKA_TOPIC_PREFIX);
        const settlement = settlements.get(letterKey(letter));
        if ((settlement && !settled) || !isSelected(letter, selection)) return;
        await onLetter({ ...letter, ...(settlement ? { settlement } : {}) }, message);
      },
    });
  } finally {
    progress.end();
  }
}

/**
 * All that the dead-letter topic holds now; nothing where it does not exist yet.
 * @throws UserError when this account may not see it: that is not the same as nothing.
 */
export async function letterRanges(kafka: KafkaTools['kafka'], topic: string): Promise<Range[]> {
  const ranges = await topicRanges(kafka, topic);
  if (ranges !== 'hidden') return ranges;
  throw new UserError(`This account may not see ${topic}: it lacks the rights Describe and Read on it.`);
}

/** Letters that are named by their places alone are not looked for elsewhere. */
function narrowed(range: Range, { places, eventIds }: Selection): Range {
  if (places.size === 0 || eventIds.size > 0) return range;
  const offsets = [...places].flatMap((place) => {
    const [partition, offset = ''] = place.split(':');
    return Number(partition) === range.partition ? [BigInt(offset)] : [];
  });
  if (offsets.length === 0) return { ...range, to: range.from };
  const first = minimum(offsets);
  const last = maximum(offsets);
  return {
    ...range,
    from: first > range.from ? first : range.from,
    to: last + 1n < range.to ? last + 1n : range.to,
  };
}

const minimum = (values: readonly bigint[]): bigint => values.reduce((a, b) => (a < b ? a : b));
const maximum = (values: readonly bigint[]): bigint => values.reduce((a, b) => (a > b ? a : b));
