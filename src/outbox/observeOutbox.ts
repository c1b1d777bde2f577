import { Gauge, type Registry } from 'prom-client';
import type { Logger } from '../shared/logger';
import { sleep } from '../shared/sleep';
import { type Backlog, type OutboxReader, readBacklog } from './log/backlog';

/** A pool that is used up must not hold up the other figures, which are wanted most then. */
const answerWithinMs = 2_000;

/**
 * Shows what waits in the outbox, and whether it is published at all, whenever the figures are asked for. Every program
 * reports the same, so that they are there when all relays are down: take the maximum, never the sum.
 */
export function observeOutbox(registry: Registry, database: OutboxReader, logger: Logger): void {
  let asked: Promise<Backlog | undefined> | undefined;
  const ask = (): Promise<Backlog | undefined> => {
    asked ??= Promise.race([readBacklog(database), sleep(answerWithinMs).then(() => undefined)])
      .catch((error: unknown) => {
        // The other figures are wanted most when the database is away.
        logger.debug({ err: error }, 'the backlog could not be counted');
        return undefined;
      })
      .finally(() => (asked = undefined));
    return asked;
  };
  const gauge = (name: string, help: string, valueOf: (backlog: Backlog) => number): void => {
    const created: Gauge = new Gauge({
      name,
      help,
      collect: async () => {
        const backlog = await ask();
        if (backlog) created.set(valueOf(backlog));
      },
      registers: [],
    });
    registry.registerMetric(created);
  };
  gauge(
    'signalbox_outbox_backlog',
    'Events that wait, counted up to 10,000 for each lane',
    ({ rows }) => rows,
  );
  gauge(
    'signalbox_outbox_oldest_seconds',
    'Age of the oldest event that waits',
    (backlog) => backlog.oldestSeconds,
  );
  gauge('signalbox_outbox_parked', 'Events that Kafka refuses', ({ parked }) => parked);
  gauge(
    'signalbox_outbox_held',
    'Events that wait behind a parked one or for their topic',
    ({ held }) => held,
  );
  gauge('signalbox_outbox_lanes', 'Lanes that relays should own', ({ lanes }) => lanes);
  gauge('signalbox_outbox_lanes_unowned', 'Lanes that no living relay owns', ({ unowned }) => unowned);
}
