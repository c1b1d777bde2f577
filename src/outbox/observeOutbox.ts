import { Gauge, type Registry } from 'prom-client';
import type { Logger } from '../shared/logger';
import { withDeadline } from '../shared/withDeadline';
import { type Backlog, type OutboxReader, readBacklog } from './log/backlog';

/** A pool that is used up must not hold up the other figures, which are wanted most then. */
const answerWithinMs = 2_000;
/** Figures are kept for a moment, so that several scrapers cost one query, … */
const keepAtLeastMs = 1_000;
/** … and for this many times as long as it took to count them, which is long with a large backlog; up to a limit. */
const keepTimesTaken = 20;
const keepAtMostMs = 30_000;

const once = ' (every program reports the same: take max(), not sum())';

const figures: readonly [name: string, help: string, valueOf: (backlog: Backlog) => number][] = [
  ['signalbox_outbox_backlog', 'Events that wait, counted up to 10,000 for each lane', ({ rows }) => rows],
  ['signalbox_outbox_oldest_seconds', 'Age of the oldest event that waits', (found) => found.oldestSeconds],
  ['signalbox_outbox_parked', 'Events that Kafka refuses', ({ parked }) => parked],
  ['signalbox_outbox_held', 'Events that wait behind a parked one or for their topic', ({ held }) => held],
  ['signalbox_outbox_lanes', 'Lanes that relays should own', ({ lanes }) => lanes],
  ['signalbox_outbox_lanes_unowned', 'Lanes that no living relay owns', ({ unowned }) => unowned],
  [
    'signalbox_outbox_relays',
    'Relays that are alive, by their leases in the database',
    ({ relays }) => relays,
  ],
  [
    'signalbox_outbox_relays_standing_by',
    'Relays that are alive and leave the lanes to others, because Kafka does not answer them',
    ({ standingBy }) => standingBy,
  ],
];

/**
 * Shows what waits in the outbox, and whether it is published at all, whenever the figures are asked for. Every program
 * reports the same, so that they are there when all relays are down. While the database does not answer there are none,
 * rather than old ones, and `signalbox_outbox_readable` is 0.
 */
export function observeOutbox(registry: Registry, database: OutboxReader, logger: Logger): void {
  const ask = cached(() => readBacklog(database), logger);
  for (const [name, help, valueOf] of figures) {
    const gauge: Gauge = new Gauge({
      name,
      help: help + once,
      collect: async () => {
        const backlog = await ask();
        if (backlog) gauge.set(valueOf(backlog));
        else gauge.remove();
      },
      registers: [registry],
    });
  }
  const readable: Gauge = new Gauge({
    name: 'signalbox_outbox_readable',
    help: '1 while this program can read the outbox, 0 while the database or its pool does not answer it',
    collect: async () => readable.set(Number((await ask()) !== undefined)),
    registers: [registry],
  });
}

/** One count at a time, which is kept for a while; undefined if there is no answer in time. */
function cached(count: () => Promise<Backlog>, logger: Logger): () => Promise<Backlog | undefined> {
  let latest: Promise<Backlog | undefined> | undefined;
  const measured = async (): Promise<Backlog | undefined> => {
    const startedAt = performance.now();
    const answer = await count().catch((error: unknown) => {
      // The other figures are wanted most when the database is away.
      logger.debug({ err: error }, 'the backlog could not be counted');
      return undefined;
    });
    const worthMs = answer ? (performance.now() - startedAt) * keepTimesTaken : 0;
    const keepMs = Math.min(keepAtMostMs, Math.max(keepAtLeastMs, worthMs));
    setTimeout(() => (latest = undefined), keepMs).unref();
    return answer;
  };
  return async () => {
    latest ??= measured();
    // It never rejects: what is caught is that it takes too long.
    return withDeadline(latest, answerWithinMs).catch(() => undefined);
  };
}
