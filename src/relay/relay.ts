/*
 * The relay: two loops that share the lanes of one LaneLeases.
 *
 *   keeper     renews the lease and takes lanes, three times in a lease's time, whatever the publishing does
 *   publisher  one look after the other (tick.ts), at once when there is more, else when woken, else by the interval
 *
 * Failures. The database is away: the memory of lanes is thrown away and read anew when it is back. Kafka is away: the
 * cursors stay where they are, and a look is tried again after a back-off, without a limit; meanwhile the lanes are
 * left to relays that reach it (participation.ts). A single topic cannot be used: its events are held, the others go
 * on. A failure that waiting cannot mend, or a Kafka that is not this outbox's target (outbox/log/target.ts), rejects
 * `failed`, and the program ends with a message. Nothing is ever skipped to get on.
 *
 * Stopping: the send in hand is finished, or abandoned when Kafka does not answer; what is acknowledged is settled,
 * then the lanes are given up. Whatever is cut short is repeated by the next owner.
 */
import type { Pool } from 'pg';
import type { KafkaPublisher } from '../kafka/publish/producer';
import type { Publisher } from '../kafka/publish/publisher';
import type { SendFailure } from '../kafka/sendFailure';
import { checkTarget, claimTarget, type Target } from '../outbox/log/target';
import { type Service, UserError } from '../shared/lifecycle';
import type { Logger } from '../shared/logger';
import { type Cause, PollLoop } from '../shared/pollLoop';
import { sleep } from '../shared/sleep';
import type { LaneLeases } from './leases';
import { countSent, type RelayMetrics } from './metrics';
import { Participation } from './participation';
import type { PublishOptions } from './publishInOrder';
import { releaseHeld } from './releaseHeld';
import { PostgresCrashed, Tick } from './tick';

type RelayPublisher = Publisher & Pick<KafkaPublisher, 'ready' | 'retryTopics' | 'clusterId' | 'disconnect'>;

export interface RelayOptions {
  readonly database: Pool;
  readonly publisher: RelayPublisher;
  readonly leases: LaneLeases;
  readonly leaseMs: number;
  /** Rows of a lane read at a time. */
  readonly pageSize: number;
  readonly pollIntervalMs: number;
  readonly retryMaxMs: number;
  readonly publishing: Pick<
    PublishOptions,
    'catalogue' | 'topicPrefix' | 'maxMessageBytes' | 'policy' | 'account'
  >;
  readonly logger: Logger;
  readonly metrics: RelayMetrics;
}

/** A lane's page ends with the row that reaches this many bytes: sixteen lanes, read ahead once, fit into 32 MB. */
const pageBytes = 1_000_000;
/** Longest time that stopping waits for the send in hand, in milliseconds. */
const stopTimeoutMs = 5_000;
/** Time between two looks for held events that may go on, in milliseconds. */
const releaseIntervalMs = 2_000;
/** With many held events, looking through them takes at most this part of the time. */
const releaseShare = 10;
const firstRetryMs = 100;

/** Kafka did not take the messages; trying again is all that can be done. */
class KafkaAway extends Error {
  override readonly name = 'KafkaAway';
  constructor(
    readonly type: string,
    readonly words = type,
  ) {
    super(`Kafka did not take the messages: ${words}`);
  }
}

export class Relay implements Service {
  readonly name = 'relay';
  /** Rejects with a UserError when only an operator can help. */
  readonly failed: Promise<never>;
  readonly #keeper: PollLoop;
  readonly #loop: PollLoop;
  readonly #tick: Tick;
  readonly #publishing: PublishOptions;
  readonly #participation: Participation;
  /** What this relay has found to be the outbox's target. */
  #target: Target | undefined;
  #nextReleaseAt = Number.NEGATIVE_INFINITY;
  #stoodBy: boolean | undefined;
  #away = false;
  #stopping = false;

  constructor(private readonly options: RelayOptions) {
    const { publisher, publishing, leaseMs, retryMaxMs, pageSize } = options;
    this.#participation = new Participation(leaseMs);
    this.#publishing = {
      ...publishing,
      publisher,
      isStopping: () => this.#stopping,
      ...this.#reporting(),
    };
    const limits = { rows: pageSize, pageBytes, dataBytes: publishing.maxMessageBytes };
    this.#tick = new Tick({ ...options, publishing: this.#publishing, limits });
    const backoff = { initialMs: firstRetryMs, maxMs: retryMaxMs };
    this.#loop = new PollLoop({
      name: 'publisher',
      intervalMs: options.pollIntervalMs,
      backoff,
      run: (cause) => this.#look(cause),
      onError: (error, attempt, pauseMs) => {
        this.#participation.fail(error instanceof KafkaAway);
        this.#onError(error, attempt, pauseMs);
      },
    });
    this.#keeper = new PollLoop({
      name: 'keeper',
      intervalMs: leaseMs / 3,
      backoff: { initialMs: firstRetryMs, maxMs: Math.min(retryMaxMs, leaseMs / 3) },
      run: () => this.#renew(),
      onError: (error, attempt, pauseMs) => this.#onError(error, attempt, pauseMs),
    });
    this.failed = Promise.race([this.#loop.failed, this.#keeper.failed]);
    this.failed.catch(() => undefined);
  }

  /** Returns at once; database and Kafka may be away. */
  async start(): Promise<void> {
    this.#stopping = false;
    await this.#keeper.start();
    await this.#loop.start();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#keeper.stop();
    const enough = new AbortController();
    const ended = this.#loop.stop().then(() => true);
    const inTime = await Promise.race([ended, sleep(stopTimeoutMs, enough.signal).then(() => false)]);
    enough.abort();
    if (!inTime) this.options.logger.warn('Kafka does not answer; the page in hand will be sent again');
    await this.#tick.discard();
    await this.#giveUpLanes();
    await this.options.publisher.disconnect();
  }

  /** Whether it leaves the lanes to others, because Kafka does not answer it. */
  get standsBy(): boolean {
    return this.#participation.standsBy;
  }

  /** Makes it look now; for wake-ups. */
  wake(): void {
    this.#loop.wake();
  }

  async #renew(): Promise<boolean> {
    const { leases, database } = this.options;
    const before = leases.size;
    const { standsBy } = this;
    this.#reportStandBy(standsBy);
    await leases.renew({ standsBy });
    if (this.#target) await checkTarget(database, this.#target);
    if (leases.size > before) this.#loop.wake();
    return false;
  }

  #reportStandBy(standsBy: boolean): void {
    const { logger, metrics } = this.options;
    metrics.standsBy.set(Number(standsBy));
    if (standsBy && this.#stoodBy === false) {
      logger.warn('Kafka has failed for a lease time: standing by, other relays may take the lanes');
    }
    if (!standsBy && this.#stoodBy) logger.info('takes part in the publishing');
    this.#stoodBy = standsBy;
  }

  async #look(cause: Cause): Promise<boolean> {
    const { publisher, leases, metrics } = this.options;
    metrics.wakeUps.inc({ cause });
    this.#participation.begin();
    try {
      this.#throwIf(await publisher.ready());
      await this.#claimTarget();
      const held = await this.#release();
      const { more, failure } = await this.#tick.run();
      this.#throwIf(failure);
      this.#succeed();
      return more || held;
    } finally {
      await leases.releaseSurplus();
    }
  }

  /** Before anything is sent, and again when the brokers turn out to be another cluster's. */
  async #claimTarget(): Promise<void> {
    const { publisher, database, publishing } = this.options;
    const { clusterId = '' } = publisher;
    if (this.#target?.clusterId === clusterId) return;
    const target = { clusterId, topicPrefix: publishing.topicPrefix };
    await claimTarget(database, target);
    this.#target = target;
  }

  /** Held events go first, or later ones of their aggregate could not be told from those that may pass. */
  async #release(): Promise<boolean> {
    if (performance.now() < this.#nextReleaseAt) return false;
    const { publisher, database, leases, pageSize } = this.options;
    const startedAt = performance.now();
    this.#reportUnasked(await publisher.retryTopics());
    const released = await releaseHeld({ database, leases, publishing: this.#publishing, rows: pageSize });
    this.#throwIf(released.failure);
    const tookMs = performance.now() - startedAt;
    if (!released.more) {
      this.#nextReleaseAt = performance.now() + Math.max(releaseIntervalMs, tookMs * releaseShare);
    }
    return released.more;
  }

  /** What can be published does not depend on it; when Kafka is away, the next send says so. */
  #reportUnasked(failure: SendFailure | undefined): void {
    if (!failure) return;
    const { kind, type } = failure;
    this.options.metrics.errors.inc({ kind, type });
    this.options.logger.warn({ error: type }, 'Kafka could not be asked for its topics; asking again later');
  }

  #throwIf(failure: SendFailure | undefined): void {
    if (!failure) return;
    const { kind, type } = failure;
    const words = failure.kind === 'poison' ? type : (failure.words ?? type);
    this.options.metrics.errors.inc({ kind, type });
    this.options.metrics.connected.set(0);
    if (kind !== 'fatal') throw new KafkaAway(type, words);
    throw new UserError(`Kafka cannot be used by this relay: ${words}. Events wait in the outbox.`);
  }

  #succeed(): void {
    const { logger, metrics } = this.options;
    metrics.connected.set(1);
    if (this.#away) logger.info('database and Kafka answer again');
    this.#away = false;
    const { standsBy } = this;
    this.#participation.succeed();
    if (standsBy && !this.standsBy) this.#keeper.wake();
  }

  #onError(error: unknown, attempt: number, pauseMs: number): void {
    const { logger, metrics, leases } = this.options;
    this.#away = true;
    if (error instanceof KafkaAway) {
      logger.warn(
        { error: error.type, attempt, pauseMs },
        `Kafka cannot be used: ${error.words}; events wait, trying again`,
      );
      return;
    }
    metrics.errors.inc({ kind: 'database', type: error instanceof Error ? error.name : 'unknown' });
    if (error instanceof PostgresCrashed) logger.warn({ attempt, pauseMs }, error.message);
    else logger.warn({ err: error, attempt, pauseMs }, 'a look at the outbox failed; trying again');
    leases.forgetAll();
    this.#keeper.wake();
  }

  async #giveUpLanes(): Promise<void> {
    try {
      await this.options.leases.releaseAll();
    } catch (error) {
      this.options.logger.warn(
        { err: error },
        'the lanes could not be given up; they are free when the lease ends',
      );
    }
  }

  #reporting(): Pick<PublishOptions, 'onSent' | 'onPoison' | 'onTopicFailure'> {
    const { metrics, logger } = this.options;
    return {
      onSent: (messages, rows) => {
        this.#participation.sent();
        countSent(metrics, messages, rows);
      },
      onTopicFailure: (type) => metrics.errors.inc({ kind: 'topic', type }),
      onPoison: ({ kind, type }) => {
        metrics.errors.inc({ kind, type });
        logger.debug({ type }, 'Kafka refuses a message of this send; looking for it');
      },
    };
  }
}
