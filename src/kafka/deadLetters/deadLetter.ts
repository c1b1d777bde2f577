/*
 * Dead letters: messages that a consumer could not process, put aside with the reason.
 *
 * A dead letter keeps the original key, value and headers byte for byte and adds the headers `dlq.*`. What it is
 * published with is at least once: the caller moves its offset on only after `publish` has resolved, so a crash in
 * between repeats a dead letter and never loses one.
 *
 * One exception to byte for byte. A message just below the broker's size limit may pass it with our headers added;
 * then the value is left out, and if that is not enough the key and the original headers too, and `dlq.omitted` says
 * so. Nothing is lost in silence: topic, partition and offset lead to the original for as long as Kafka keeps it.
 */
import type { Headers, KafkaClient, Message } from '../ports';
import { sleep } from '../../shared/sleep';
import { DiscardingProducer } from '../kafkajs/discardingProducer';
import { errorTypes } from '../errorTypes';
import type { ReceivedMessage } from '../messages/readMessage';

export interface DeadLetter {
  readonly message: ReceivedMessage;
  /** The consumer group that gave up. */
  readonly group: string;
  /** How often it was tried. */
  readonly attempts: number;
  readonly errorClass: string;
  /** Why, without any value out of the message: it is published as a header. */
  readonly reason: string;
  readonly failedAt: Date;
}

/** Longest wait for a broker that does not answer, when stopping, in milliseconds. */
const stopTimeoutMs = 2_000;

/** How much of the original a dead letter leaves out, from nothing to everything but its place. */
const omissions = ['', 'value', 'key,value,headers'] as const;
type Omission = (typeof omissions)[number];

/** The Kafka message of a dead letter. */
export function deadLetterMessage(letter: DeadLetter, omitted: Omission = ''): Message {
  const { message } = letter;
  const headers = {
    ...(omitted === 'key,value,headers' ? {} : originalHeaders(message.headers)),
    ...added(letter),
  };
  if (omitted !== '') {
    headers['dlq.omitted'] = omitted;
    headers['dlq.original.size'] = String(message.value?.length ?? 0);
  }
  return {
    key: omitted === 'key,value,headers' ? null : message.key,
    value: omitted === '' ? message.value : null,
    headers,
  };
}

function added({ message, group, attempts, errorClass, reason, failedAt }: DeadLetter): Headers {
  return {
    'dlq.original.topic': message.topic,
    'dlq.original.partition': String(message.partition),
    'dlq.original.offset': message.offset,
    'dlq.original.timestamp': message.timestamp,
    'dlq.consumer.group': group,
    'dlq.attempts': String(attempts),
    'dlq.error.class': errorClass,
    'dlq.error.message': reason,
    'dlq.failed.at': failedAt.toISOString(),
  };
}

/** The headers without `dlq.*`, as kafkajs can write them: it cannot write a null, which becomes empty. */
export function originalHeaders(headers: Headers): Headers {
  const writable = (value: Buffer | string | null | undefined): Buffer | string => value ?? Buffer.alloc(0);
  return Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => !name.startsWith('dlq.'))
      .map(([name, value]) => [name, Array.isArray(value) ? value.map(writable) : writable(value)]),
  );
}

/** Publishes dead letters, one at a time. */
export class DeadLetterPublisher {
  readonly #producer: DiscardingProducer;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(
    kafka: KafkaClient,
    private readonly topic: string,
  ) {
    this.#producer = new DiscardingProducer(kafka);
  }

  /** Resolves when all in-sync replicas have it; rejects when that could not be reached. */
  publish(letter: DeadLetter): Promise<void> {
    const sent = this.#queue.then(() => this.#publish(letter));
    this.#queue = sent.catch(() => undefined);
    return sent;
  }

  /** Gives what is on its way a moment. May be called repeatedly, and before anything was published. */
  async stop(): Promise<void> {
    const enough = new AbortController();
    await Promise.race([
      this.#queue.then(() => this.#producer.discard()),
      sleep(stopTimeoutMs, enough.signal),
    ]);
    enough.abort();
  }

  async #publish(letter: DeadLetter): Promise<void> {
    for (const omitted of omissions) {
      try {
        await this.#producer.send(this.topic, deadLetterMessage(letter, omitted));
        return;
      } catch (error) {
        if (!isTooLarge(error) || omitted === omissions.at(-1)) throw error;
      }
    }
  }
}

function isTooLarge(error: unknown): boolean {
  const types = errorTypes(error);
  return types.includes('MESSAGE_TOO_LARGE') || types.includes('RECORD_LIST_TOO_LARGE');
}
