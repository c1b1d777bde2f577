import type { KafkaClient, Message } from '../ports';
import { UserError } from '../../shared/lifecycle';
import type { Logger } from '../../shared/logger';
import { originalHeaders } from './deadLetter';
import type { ReadDeadLetter } from './readDeadLetter';
import type { ReceivedMessage } from '../messages/readMessage';
import { readRange } from '../groups/readRange';
import { replayHeaders } from './replay';
import { topicOffsets } from '../topics/topicOffsets';
import { withAdmin } from '../withAdmin';

/**
 * The message that a dead letter was, for the topic that it came from and for the group that gave up.
 * @throws UserError when the letter does not say enough, or what it left out has expired.
 */
export async function replayOf(
  kafka: KafkaClient,
  logger: Logger,
  letter: ReadDeadLetter,
  message: ReceivedMessage,
  at: Date,
): Promise<{ topic: string; message: Message }> {
  const { original, group, omitted } = letter;
  if (!original || group === undefined) {
    throw new UserError('it does not say where it came from: it is not a dead letter of Signalbox');
  }
  const source = omitted === undefined ? message : await fetchOriginal(kafka, logger, original);
  return {
    topic: original.topic,
    message: {
      key: source.key,
      value: source.value,
      // A key leads to its partition, however many there are by now.
      ...(source.key === null ? { partition: original.partition } : {}),
      headers: {
        ...originalHeaders(source.headers),
        [replayHeaders.group]: group,
        [replayHeaders.source]: `${letter.topic}/${letter.partition}/${letter.offset}`,
        [replayHeaders.at]: at.toISOString(),
      },
    },
  };
}

/** A letter that was too large to take everything along leads to the message itself, for as long as Kafka keeps it. */
async function fetchOriginal(
  kafka: KafkaClient,
  logger: Logger,
  { topic, partition, offset, timestamp }: NonNullable<ReadDeadLetter['original']>,
): Promise<ReceivedMessage> {
  const gone = new UserError(
    'the letter was too large to hold its value, and Kafka no longer has the original',
  );
  const bounds = await withAdmin(kafka, async (admin) => {
    if (!(await admin.listTopics()).includes(topic)) throw gone;
    return (await topicOffsets(admin, topic)).find((one) => one.partition === partition);
  });
  const from = BigInt(offset);
  if (!bounds || from < BigInt(bounds.low) || from >= BigInt(bounds.high)) throw gone;
  let found: ReceivedMessage | undefined;
  await readRange({
    kafka,
    logger,
    ranges: [{ topic, partition, from, to: from + 1n }],
    onMessage: (message) => {
      found = message;
    },
  });
  // Another message may lie there by now, if the topic was deleted and made anew.
  if (found?.timestamp !== timestamp) throw gone;
  return found;
}
