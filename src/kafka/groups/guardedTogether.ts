import type { GroupConsumerOptions } from './groupConsumerOptions';
import type { ReceivedMessage } from '../messages/readMessage';
import { type HandleTogether, oneByOne } from './workBatch';

/** The options' `together`; one that throws has dealt with nothing: the first message is handled by itself then. */
export function guardedTogether(
  { together, positions, commit, logger }: GroupConsumerOptions,
  onDone: (last: ReceivedMessage) => void,
): HandleTogether {
  if (!together) return oneByOne;
  const handle: HandleTogether['handle'] = async (messages, mustEnd) => {
    try {
      const done = await together.handle(messages, mustEnd);
      const last = messages[done - 1];
      if (last) onDone(last);
      if (last && commit === false) positions?.passed(last);
      return done;
    } catch (error) {
      logger.error({ err: error }, 'messages could not be handled together');
      return 0;
    }
  };
  return { most: together.most, handle };
}
