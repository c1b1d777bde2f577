import { countProcessed, forgetEvents } from '../../consumers/forgetEvents';
import { classifyError } from '../../kafka/publish/classifyError';
import { DiscardingProducer } from '../../kafka/kafkajs/discardingProducer';
import type { ReceivedMessage } from '../../kafka/messages/readMessage';
import { readEvent } from '../../kafka/messages/readMessage';
import { replayOf } from '../../kafka/deadLetters/replayDeadLetter';
import { UserError } from '../../shared/lifecycle';
import type { Tools } from '../command';
import { groupOf } from '../groups/find';
import { explainKafkaError, type KafkaTools } from '../kafka';
import type { FoundLetter } from './letters';
import { settleLetters, type SettleOptions, type Settling } from './settle';

export interface ReplayOptions extends SettleOptions {
  readonly again?: boolean;
  readonly forceReprocess?: string;
}

/**
 * `ops dlq replay`: sends dead letters to the topics that they came from, for the groups that gave up on them.
 *
 * One transaction for each letter: it is noted as replayed, the inbox forgets it if that was asked for, it is sent, and
 * when Kafka has it the transaction commits. A crash in between leaves it open, and the inbox makes a second replay
 * harmless. A consumer that is faster than the commit waits in its inbox for the outcome.
 */
export async function replayLetters(
  tools: Tools,
  names: readonly string[],
  options: ReplayOptions,
): Promise<number> {
  let producer: DiscardingProducer | undefined;
  try {
    return await settleLetters(tools, names, filtered(options), (kafkaTools) => {
      producer = new DiscardingProducer(kafkaTools.kafka);
      return settlingOf(tools, kafkaTools, producer, options);
    });
  } finally {
    await producer?.discard();
  }
}

/** Whose inbox is overridden must be said, and nobody else's letters are taken along. */
function filtered({ forceReprocess, ...options }: ReplayOptions): ReplayOptions {
  if (forceReprocess === undefined) return options;
  if (options.group !== undefined && options.group !== forceReprocess) {
    throw new UserError(
      `--group "${options.group}" and --force-reprocess "${forceReprocess}" exclude each other.`,
    );
  }
  return { ...options, group: forceReprocess };
}

function settlingOf(
  { logger }: Tools,
  { catalogue, kafka, config }: KafkaTools,
  producer: DiscardingProducer,
  { again = false, forceReprocess: consumer }: ReplayOptions,
): Settling {
  const at = new Date();
  let known = 0;
  const eventIds = (letter: FoundLetter, message: ReceivedMessage): string[] => {
    if (letter.group !== groupOf(consumer ?? '', config)) return [];
    const { original } = letter;
    const parsed = readEvent(
      { ...message, topic: original?.topic ?? '' },
      {
        catalogue,
        topicPrefix: config.KAFKA_TOPIC_PREFIX,
      },
    );
    return parsed.ok ? [parsed.event.event_id] : letter.eventId === undefined ? [] : [letter.eventId];
  };
  return {
    action: 'replayed',
    again,
    perform: async (client, letter, message) => {
      const replay = await replayOf(kafka, logger, letter, message, at);
      if (consumer !== undefined) known += await forgetEvents(client, consumer, eventIds(letter, message));
      await producer.send(replay.topic, replay.message);
    },
    preview: async (database, letter, message) => {
      await replayOf(kafka, logger, letter, message, at);
      if (consumer !== undefined)
        known += await countProcessed(database, consumer, eventIds(letter, message));
    },
    faultOf: (error) => faultOf(error, { kafka, config }),
    ...(consumer === undefined
      ? {}
      : {
          extra: () => ({
            data: { force_reprocess: { consumer, known } },
            text: [`Of them, the inbox of ${consumer} knows ${known}, which it forgets.`],
          }),
        }),
  };
}

/** Faults of a single letter; anything else, an outage above all, ends the command. */
function faultOf(error: unknown, kafkaTools: Pick<KafkaTools, 'kafka' | 'config'>): string | undefined {
  const explained = explainKafkaError(error, kafkaTools);
  if (explained !== error) {
    const { kind, type } = classifyError(error);
    return kind === 'poison' || type === 'UNKNOWN_TOPIC_OR_PARTITION'
      ? `Kafka refuses it: ${type}`
      : undefined;
  }
  return error instanceof UserError ? error.message : undefined;
}
