/** A relay taken apart: leases and looks that a test steps by hand, with a publisher that writes down what it is sent. */
import { randomUUID } from 'node:crypto';
import { Pool, type ClientBase } from 'pg';
import { Registry } from 'prom-client';
import type { OutgoingMessage } from '../../../src/kafka/messages/message';
import type { Publisher, SendOutcome } from '../../../src/kafka/publish/publisher';
import type { TopicTrouble } from '../../../src/kafka/topics/topicTrouble';
import type { PageLimits } from '../../../src/outbox/log/readPage';
import { LaneLeases } from '../../../src/relay/leases';
import { createRelayMetrics } from '../../../src/relay/metrics';
import type { PoisonPolicy } from '../../../src/relay/publishInOrder';
import { Tick, type TickResult } from '../../../src/relay/tick';
import { dataOfAnyEvent } from '../../support/events';
import { silentLogger } from '../../support/logger';
import { catalogue } from '../../../src/healthcore/catalogue';

export class RecordingPublisher implements Publisher {
  readonly messages: OutgoingMessage[] = [];
  readonly sends: (readonly OutgoingMessage[])[] = [];
  readonly topicTroubles = new Map<string, TopicTrouble>();
  /** Topics of which the first message is to be sent by itself. */
  readonly untried = new Set<string>();
  /** Topics that are kept by what keeps all others, too. */
  readonly outages = new Set<string>();
  /** What Kafka answers; "sent" unless a test says otherwise. */
  answer: (messages: readonly OutgoingMessage[]) => SendOutcome | Promise<SendOutcome> = () => ({
    kind: 'sent',
  });

  async send(messages: readonly OutgoingMessage[]): Promise<SendOutcome> {
    this.sends.push(messages);
    const outcome = await this.answer(messages);
    if (outcome.kind === 'sent') this.messages.push(...messages);
    return outcome;
  }

  isProven(topic: string): boolean {
    return !this.untried.has(topic);
  }

  isOutage(topic: string): boolean {
    return this.outages.has(topic);
  }

  /** Has the events of a topic wait. */
  trouble(
    topic: string,
    state: TopicTrouble['state'] = 'missing',
    type = 'UNKNOWN_TOPIC_OR_PARTITION',
  ): void {
    this.topicTroubles.set(topic, { topic, state, operation: 'Write', type });
  }

  /** `aggregate:n` of each event, in the order in which they were published. */
  published(): string[] {
    return this.messages.map(labelOf);
  }
}

export function labelOf(message: OutgoingMessage): string {
  const { data } = JSON.parse(message.value.toString()) as { data: { n: number } };
  return `${message.key}:${data.n}`;
}

export interface Stepped {
  readonly leases: LaneLeases;
  readonly tick: Tick;
  readonly publisher: RecordingPublisher;
  /** Where its metrics are. */
  readonly registry: Registry;
  readonly id: string;
  /** Looks until nothing is left, and gives what all looks did together. */
  readonly drain: () => Promise<Pick<TickResult, 'published' | 'setAside'>>;
}

export interface SteppedOptions {
  readonly publisher?: RecordingPublisher;
  readonly limits?: Partial<PageLimits>;
  readonly policy?: PoisonPolicy;
  readonly maxMessageBytes?: number;
  readonly account?: string;
  readonly leaseMs?: number;
  readonly instance?: string;
  /** The clock by which the relay knows that its own lease has ended. */
  readonly now?: () => number;
}

/** A relay on this database; `renew` has to be called first, as its own loop would. */
export function steppedRelay(database: Pool, options: SteppedOptions = {}): Stepped {
  const publisher = options.publisher ?? new RecordingPublisher();
  const logger = silentLogger();
  const registry = new Registry();
  const metrics = createRelayMetrics(registry);
  const id = randomUUID();
  const leases = new LaneLeases({
    database,
    identity: { id, instance: options.instance ?? id },
    leaseMs: options.leaseMs ?? 600_000,
    policy: options.policy ?? 'wait',
    logger,
    metrics,
    ...(options.now ? { now: options.now } : {}),
  });
  const tick = new Tick({
    database,
    leases,
    publishing: {
      catalogue,
      publisher,
      topicPrefix: 'test',
      maxMessageBytes: options.maxMessageBytes ?? 1_000_000,
      policy: options.policy ?? 'wait',
      account: options.account,
      isStopping: () => false,
      onSent: () => undefined,
      onPoison: () => undefined,
    },
    limits: { rows: 1_000, pageBytes: 1_000_000, dataBytes: 1_000_000, ...options.limits },
    logger,
    metrics,
  });
  const drain = async (): Promise<Pick<TickResult, 'published' | 'setAside'>> => {
    const total = { published: 0, setAside: 0 };
    for (let more = true; more;) {
      const result = await tick.run();
      if (result.failure) throw new Error(`The drain failed: ${result.failure.type}`);
      total.published += result.published;
      total.setAside += result.setAside;
      ({ more } = result);
    }
    return total;
  };
  return { leases, tick, publisher, registry, id, drain };
}

/** Appends an event as capture would, in whatever transaction the connection is in. */
export async function append(
  database: ClientBase | Pool,
  aggregateId: string,
  n: number,
  options: { eventType?: string; lane?: number; padding?: number } = {},
): Promise<void> {
  await database.query(
    `INSERT INTO signalbox.outbox (lane, event_type, event_version, aggregate_type, aggregate_id, source, data)
     VALUES (coalesce($1::smallint, signalbox.lane_of($2)), $3, '1.0', 'patient', $2, 'test', $4)`,
    [
      options.lane ?? null,
      aggregateId,
      options.eventType ?? 'patient.updated',
      JSON.stringify({
        ...dataOfAnyEvent,
        n,
        ...(options.padding ? { padding: 'x'.repeat(options.padding) } : {}),
      }),
    ],
  );
}

/** A pool whose connections read our test database. */
export function poolOf(url: string, max = 4): Pool {
  const pool = new Pool({ connectionString: url, max });
  // Tests cut connections on purpose.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}
