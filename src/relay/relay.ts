/*
 * The relay: two loops that share the lanes of one LaneLeases.
 *
 *   keeper     renews the lease and takes lanes, three times in a lease's time, whatever the publishing does
 *   publisher  one look after the other (tick.ts), at once when there is more, else when woken, else by the interval
 *
 * Failures. The database is away: the memory of lanes is thrown away and read anew when it is back. Kafka is away: the
 * cursors stay where they are, and a look is tried again after a back-off, without a limit. A failure that waiting
 * cannot mend rejects `failed`, and the program ends with a message. Nothing is ever skipped to get on.
 *
 * Stopping: the send in hand is finished, or abandoned when Kafka does not answer; what is acknowledged is settled,
 * then the lanes are given up. Whatever is cut short is repeated by the next owner.
 */
import type { Pool } from 'pg';
import type { KafkaPublisher } from '../kafka/producer';
import type { Publisher, SendFailure } from '../kafka/publisher';
import { type Service, UserError } from '../shared/lifecycle';
import type { Logger } from '../shared/logger';
import { type Cause, PollLoop } from '../shared/pollLoop';
import { sleep } from '../shared/sleep';
import type { LaneLeases } from './leases';
import { countSent, type RelayMetrics } from './metrics';
import type { PublishOptions } from './publishInOrder';
import { releaseHeld } from './releaseHeld';
import { PostgresCrashed, Tick } from './tick';

type RelayPublisher = Publisher & Pick<KafkaPublisher, 'ready' | 'checkTopics' | 'disconnect'>;

export interface RelayOptions {
  readonly database: Pool;
  readonly publisher: RelayPublisher;
  readonly leases: LaneLeases;
  readonly leaseMs: number;
  /** Rows of a lane read at a time. */
  readonly pageSize: number;
  readonly pollIntervalMs: number;
  readonly retryMaxMs: number;
  readonly publishing: Pick<PublishOptions, 'topicPrefix' | 'maxMessageBytes' | 'policy'>;
  readonly logger: Logger;
  readonly metrics: RelayMetrics;
}

/** A lane's page ends with the row that reaches this many bytes: sixteen lanes, read ahead once, fit into 32 MB. */
const pageBytes = 1_000_000;
/** Longest time that stopping waits for the send in hand, in milliseconds. */
const stopTimeoutMs = 5_000;
/** Time between two looks for held events that may go on, in milliseconds. */
const releaseIntervalMs = 2_000;
const firstRetryMs = 100;

/** Kafka did not take the messages; trying again is all that can be done. */
class KafkaAway extends Error {
  override readonly name = 'KafkaAway';
  constructor(readonly type: string) {
    super(`Kafka did not take the messages: ${type}`);
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
  #lastReleaseAt = Number.NEGATIVE_INFINITY;
  #away = false;
  #stopping = false;

  constructor(private readonly options: RelayOptions) {
    const { publisher, publishing, leaseMs, retryMaxMs, pageSize } = options;
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
      onError: (error, attempt, pauseMs) => this.#onError(error, attempt, pauseMs),
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

  /** Makes it look now; for wake-ups. */
  wake(): void {
    this.#loop.wake();
  }

  async #renew(): Promise<boolean> {
    const before = this.options.leases.size;
    await this.options.leases.renew();
    if (this.options.leases.size > before) this.#loop.wake();
    return false;
  }

  async #look(cause: Cause): Promise<boolean> {
    const { publisher, leases, metrics } = this.options;
    metrics.wakeUps.inc({ cause });
    this.#throwIf(await publisher.ready());
    this.#back();
    try {
      const held = await this.#release();
      const { more, failure } = await this.#tick.run();
      this.#throwIf(failure);
      return more || held;
    } finally {
      await leases.releaseSurplus();
    }
  }

  /** Held events go first, or later ones of their aggregate could not be told from those that may pass. */
  async #release(): Promise<boolean> {
    if (performance.now() - this.#lastReleaseAt < releaseIntervalMs) return false;
    const { publisher, database, leases, pageSize } = this.options;
    if (publisher.missingTopics.size > 0) await publisher.checkTopics();
    const released = await releaseHeld({ database, leases, publishing: this.#publishing, rows: pageSize });
    this.#throwIf(released.failure);
    if (!released.more) this.#lastReleaseAt = performance.now();
    return released.more;
  }

  #throwIf(failure: SendFailure | undefined): void {
    if (!failure) return;
    const { kind, type } = failure;
    this.options.metrics.errors.inc({ kind, type });
    this.options.metrics.connected.set(0);
    if (kind !== 'fatal') throw new KafkaAway(type);
    throw new UserError(
      `Kafka refuses this relay: ${type}. Check the KAFKA_* variables and the permissions of its account; events wait in the outbox.`,
    );
  }

  #back(): void {
    this.options.metrics.connected.set(1);
    if (this.#away) this.options.logger.info('database and Kafka answer again');
    this.#away = false;
  }

  #onError(error: unknown, attempt: number, pauseMs: number): void {
    const { logger, metrics, leases } = this.options;
    this.#away = true;
    if (error instanceof KafkaAway) {
      logger.warn({ error: error.type, attempt, pauseMs }, 'Kafka is away; events wait, trying again');
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

  #reporting(): Pick<PublishOptions, 'onSent' | 'onPoison'> {
    const { metrics, logger } = this.options;
    return {
      onSent: (messages, rows) => countSent(metrics, messages, rows),
      onPoison: ({ kind, type }) => {
        metrics.errors.inc({ kind, type });
        logger.debug({ type }, 'Kafka refuses a message of this send; looking for it');
      },
    };
  }
}
