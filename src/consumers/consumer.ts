/*
 * A consumer: typed handlers by event type, each event processed effectively once.
 *
 * It is put together from parts that know nothing of each other: kafka/groups/groupConsumer.ts brings messages in order and keeps
 * the group's place, settleMessage.ts decides when a message is done with, processMessage.ts has the effect once;
 * settleTogether.ts and processTogether.ts do the same for several messages in one transaction; postponed/worker.ts tries
 * events again that were put aside.
 */
import type { Catalogue } from '../events/catalogue';
import type { EventOf } from '../events/envelope';
import { GroupConsumer } from '../kafka/groups/groupConsumer';
import type { GroupConsumerOptions } from '../kafka/groups/groupConsumerOptions';
import { DeadLetterPublisher } from '../kafka/deadLetters/deadLetter';
import { deadLetterTopic, topicOf } from '../kafka/topics/topicNames';
import { type Service, UserError } from '../shared/lifecycle';
import type { Logger } from '../shared/logger';
import type { ReadinessCheck } from '../shared/opsServer';
import { AttemptsByPartition } from './attempts';
import { type AnyEffects, type Effects, subscribedTypes } from './effects';
import type { ClassifyError, RetryPolicy } from './failurePolicy';
import type { AnyHandlers, Handlers } from './handlers';
import { beginAtZero, type ConsumerMetrics, observeAge } from './metrics';
import type { LaterEvents } from './postponed/putAside';
import { createPostponedWorker } from './postponed/worker';
import type { SharedTransactions } from './processTogether';
import { settleMessage, type SettleDependencies } from './settleMessage';
import { settleTogether } from './settleTogether';
import type { ConsumerDatabase } from './transact';
import type { Transaction } from './transaction';

/** How a consumer deals with events that its handlers postpone. */
export interface Postponement {
  /** Whether later events of an aggregate wait for its postponed one or pass it; 'wait' where that is not said. */
  readonly laterEvents?: LaterEvents;
  /** How long an event may be postponed, in milliseconds from its first attempt; a day where that is not said. */
  readonly patienceMs?: number;
}

export interface ConsumerOptions<C extends Catalogue = Catalogue, Tx extends Transaction = Transaction> {
  /** Which events there are, and what their data look like. */
  readonly catalogue: C;
  /** Its name in the inbox: changed, it would process again whatever Kafka still holds. */
  readonly name: string;
  /** Its Kafka consumer group. */
  readonly group: string;
  readonly handlers: Handlers<C, Tx>;
  /** Handlers whose effect is outside of the database: no transaction is open while they run. */
  readonly effects?: Effects<C, Tx> | undefined;
  readonly postponement?: Postponement | undefined;
  /** What errors mean that the runner does not know. */
  readonly classify?: ClassifyError | undefined;
  readonly kafka: GroupConsumerOptions['kafka'];
  readonly topicPrefix: string;
  /** The captured Prisma client, if handlers write models or append events. */
  readonly database: ConsumerDatabase<Tx>;
  readonly logger: Logger;
  readonly metrics: ConsumerMetrics;
  readonly retry: RetryPolicy;
  /** How long a silent consumer keeps its partitions, in milliseconds. */
  readonly sessionTimeoutMs: number;
  /** Longest time that a handler and its transaction may take, in milliseconds. */
  readonly handlerTimeoutMs?: number;
  /** Messages that share a transaction, for handlers that do nothing but write with it; without it none does. */
  readonly sharedTransactions?: SharedTransactions<Tx, EventOf<C>> | undefined;
  /** How many partitions are worked on at a time; each holds a database connection. */
  readonly partitionsAtOnce?: number;
  /** How many postponed events are tried at a time; each may hold a database connection. */
  readonly postponedAtOnce?: number;
  /** The name under which Kafka knows this program, for people. */
  readonly account?: string | undefined;
  /** Called with topics that are missing, to create them. */
  readonly createTopics?: (missing: readonly string[]) => Promise<void>;
}

export interface Consumer extends Service {
  /** Whether it has joined its group, whether all topics can be read, and whether dead letters can be written. */
  readonly readiness: readonly ReadinessCheck[];
  /** Rejects when only an operator can help, with a UserError that says what to do. */
  readonly failed: Promise<never>;
}

/**
 * A consumer of the topics of its handlers, from their beginning on.
 * @throws UserError when there is no handler.
 */
export function createConsumer<C extends Catalogue, Tx extends Transaction>(
  options: ConsumerOptions<C, Tx>,
): Consumer {
  return consumerOf(options as unknown as AnyConsumerOptions<Tx>);
}

/** Options whose handlers' types are forgotten: the catalogue brings each event to the handler that is declared for it. */
type AnyConsumerOptions<Tx extends Transaction> = Omit<
  ConsumerOptions<Catalogue, Tx>,
  'handlers' | 'effects' | 'sharedTransactions'
> & {
  readonly handlers: AnyHandlers<Tx>;
  readonly effects?: AnyEffects<Tx> | undefined;
  readonly sharedTransactions?: SharedTransactions<Tx> | undefined;
};

function consumerOf<Tx extends Transaction>(options: AnyConsumerOptions<Tx>): Consumer {
  const { catalogue, name, group, handlers, effects = {}, kafka, topicPrefix, metrics } = options;
  const eventTypes = subscribedTypes(catalogue, handlers, effects);
  const topics = eventTypes.map((eventType) => topicOf(topicPrefix, eventType));
  if (topics.length === 0)
    throw new UserError(`The consumer "${name}" handles no event type of the catalogue.`);
  const deadLetters = new DeadLetterPublisher(kafka, deadLetterTopic(topicPrefix));
  const settle = settleDependencies(options, (letter) => deadLetters.publish(letter));
  const { logger, attempts } = settle;
  const usable = (isUsable: (topic: string) => boolean): void => {
    for (const topic of topics) metrics.topicUsable.set({ consumer: name, topic }, Number(isUsable(topic)));
  };
  usable(() => true);
  beginAtZero(metrics, name, eventTypes);
  const member = new GroupConsumer({
    kafka,
    group,
    topics,
    logger,
    fromBeginning: true,
    sessionTimeoutMs: options.sessionTimeoutMs,
    partitionsAtOnce: options.partitionsAtOnce ?? 4,
    retryMaxMs: options.retry.retryMaxMs,
    ...(options.createTopics ? { createTopics: options.createTopics } : {}),
    handle: (message, signal) => settleMessage(message, settle, signal),
    together: {
      most: options.sharedTransactions?.most ?? 1,
      handle: (messages, mustEnd) =>
        settleTogether(messages, { ...settle, shared: options.sharedTransactions }, mustEnd),
    },
    account: options.account,
    onTopicTroubles: (troubles) => usable((name) => !troubles.some(({ topic }) => topic === name)),
    onLag: (lag) => metrics.lag.set(name, lag),
    onAssigned: (assignment) => {
      attempts.keepOnly(assignment);
      metrics.lag.keepOnly(name, assignment);
    },
  });
  metrics.connected.set(name, () => isConnected(member));
  const postponed = createPostponedWorker({
    dependencies: settle,
    ...(options.postponedAtOnce !== undefined && { atOnce: options.postponedAtOnce }),
  });
  return {
    name: member.name,
    failed: member.failed,
    readiness: [joinedCheck(name, member), topicsCheck(name, member), deadLetterCheck(name, attempts)],
    start: async () => {
      await member.start();
      await postponed.start();
    },
    stop: async () => {
      await Promise.all([member.stop(), postponed.stop()]);
      await deadLetters.stop();
    },
  };
}

function settleDependencies<Tx extends Transaction>(
  options: AnyConsumerOptions<Tx>,
  publishDeadLetter: SettleDependencies<Tx>['publishDeadLetter'],
): SettleDependencies<Tx> {
  const { catalogue, name, group, handlers, effects, classify, topicPrefix, database, metrics } = options;
  const { laterEvents, patienceMs } = options.postponement ?? {};
  return {
    catalogue,
    consumer: name,
    group,
    handlers,
    effects,
    laterEvents,
    classify,
    happened: new Set(),
    topicPrefix,
    database,
    logger: options.logger.child({ consumer: name }),
    handlerTimeoutMs: options.handlerTimeoutMs ?? 60_000,
    policy: { ...options.retry, ...(patienceMs === undefined ? {} : { patienceMs }) },
    attempts: new AttemptsByPartition(),
    publishDeadLetter,
    metrics,
    onProcessed: (event) => observeAge(metrics, name, event),
  };
}

/** A member asks Kafka every few seconds: longer than that, and it would not hear of new messages either. */
const longestSilenceMs = 13_000;

function isConnected(member: GroupConsumer): boolean {
  return member.status().state === 'running' && member.silentMs() <= longestSilenceMs;
}

function joinedCheck(name: string, member: GroupConsumer): ReadinessCheck {
  return {
    name: `${name}: kafka`,
    check: async () => {
      const { state, detail } = member.status();
      const [unreadable] = member.unreadable();
      if (state === 'running' && unreadable !== undefined) return { ok: false, detail: unreadable };
      const silentMs = member.silentMs();
      if (state === 'running' && silentMs > longestSilenceMs)
        return { ok: false, detail: `Kafka has not answered for ${Math.round(silentMs / 1_000)} s` };
      return { ok: state === 'running', detail: detail ? `${state}: ${detail}` : state };
    },
  };
}

function topicsCheck(name: string, member: GroupConsumer): ReadinessCheck {
  return {
    name: `${name}: topics`,
    check: async () => {
      const troubles = member.topicTroubles();
      return troubles.length === 0 ? { ok: true } : { ok: false, detail: troubles.join(' ') };
    },
  };
}

function deadLetterCheck(name: string, attempts: AttemptsByPartition): ReadinessCheck {
  return {
    name: `${name}: dead letters`,
    check: async () => {
      const blocked = attempts.blocked();
      if (blocked.length === 0) return { ok: true };
      return { ok: false, detail: `the dead-letter topic cannot be written; waiting: ${blocked.join(', ')}` };
    },
  };
}
