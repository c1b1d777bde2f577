import type { ReceivedMessage } from '../messages/readMessage';

/** Headers of a message that an operator has sent once more. */
export const replayHeaders = {
  /** The only consumer group that is to process it; without it, all are. */
  group: 'replay.group',
  /** Where it was taken from: topic/partition/offset. */
  source: 'replay.source',
  at: 'replay.at',
} as const;

/**
 * Whether a message was sent once more for another consumer group than this one. To process it would do no harm while
 * the inbox remembers the event; it may be older than that.
 */
export function isForAnotherGroup({ headers }: Pick<ReceivedMessage, 'headers'>, group: string): boolean {
  const wanted = headers[replayHeaders.group];
  return wanted !== undefined && String(wanted) !== group;
}
