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
import { type IHeaders, type Kafka, type Message, Partitioners, type Producer } from 'kafkajs';
import { sleep } from '../shared/sleep';
import { errorTypes } from './errorTypes';
import type { ReceivedMessage } from './readMessage';

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
  const headers = { ...(omitted === 'key,value,headers' ? {} : original(message.headers)), ...added(letter) };
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

function added({ message, group, attempts, errorClass, reason, failedAt }: DeadLetter): IHeaders {
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

/** Earlier `dlq.*` headers, of a dead letter that was replayed, give way; kafkajs cannot write a null: it is empty then. */
function original(headers: IHeaders): IHeaders {
  const writable = (value: Buffer | string | null | undefined): Buffer | string => value ?? Buffer.alloc(0);
  return Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => !name.startsWith('dlq.'))
      .map(([name, value]) => [name, Array.isArray(value) ? value.map(writable) : writable(value)]),
  );
}

/**
 * Publishes dead letters, one at a time, with an idempotent producer.
 *
 * A producer that has failed is thrown away. The broker may have stored a message whose answer was lost; kafkajs then
 * takes its sequence numbers back and gives them to the next message, which the broker would take for a repetition,
 * acknowledge and drop.
 */
export class DeadLetterPublisher {
  #producer: Promise<Producer> | undefined;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly kafka: Kafka,
    private readonly topic: string,
  ) {}

  /** Resolves when all in-sync replicas have it; rejects when that could not be reached. */
  publish(letter: DeadLetter): Promise<void> {
    const sent = this.#queue.then(() => this.#publish(letter));
    this.#queue = sent.catch(() => undefined);
    return sent;
  }

  /** Gives what is on its way a moment. May be called repeatedly, and before anything was published. */
  async stop(): Promise<void> {
    const enough = new AbortController();
    await Promise.race([this.#queue.then(() => this.#discard()), sleep(stopTimeoutMs, enough.signal)]);
    enough.abort();
  }

  async #publish(letter: DeadLetter): Promise<void> {
    for (const omitted of omissions) {
      try {
        await this.#send(deadLetterMessage(letter, omitted));
        return;
      } catch (error) {
        await this.#discard();
        if (!isTooLarge(error) || omitted === omissions.at(-1)) throw error;
      }
    }
  }

  async #send(message: Message): Promise<void> {
    this.#producer ??= this.#connect();
    const producer = await this.#producer;
    await producer.send({ topic: this.topic, acks: -1, messages: [message] });
  }

  async #connect(): Promise<Producer> {
    const producer = this.kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: Partitioners.DefaultPartitioner,
    });
    await producer.connect();
    return producer;
  }

  async #discard(): Promise<void> {
    const producer = this.#producer;
    this.#producer = undefined;
    // One that never connected has nothing to close.
    await producer?.then((connected) => connected.disconnect()).catch(() => undefined);
  }
}

function isTooLarge(error: unknown): boolean {
  const types = errorTypes(error);
  return types.includes('MESSAGE_TOO_LARGE') || types.includes('RECORD_LIST_TOO_LARGE');
}
