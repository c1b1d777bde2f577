import type { Pool } from 'pg';
import type { KafkaPublisher } from '../kafka/publish/producer';
import { describeTopicTrouble } from '../kafka/topics/topicTrouble';
import { sleep } from '../shared/sleep';
import type { ReadinessCheck } from '../shared/opsServer';
import type { LaneLeases } from './leases';
import type { Relay } from './relay';

export interface ReadinessOptions {
  readonly database: Pool;
  /** Absent when Kafka is disabled. */
  readonly publisher?: KafkaPublisher;
  readonly leases?: LaneLeases;
  readonly relay?: Pick<Relay, 'standsBy'>;
}

/** An orchestrator asks every few seconds: an answer that comes later is of no use to it. */
const timeoutMs = 2_000;

/** What must hold for the relay to be ready. A relay without lanes is ready too: it stands by for the others. */
export function readinessChecks({ database, publisher, leases, relay }: ReadinessOptions): ReadinessCheck[] {
  return [
    { name: 'database', check: () => reachable(database) },
    { name: 'kafka', check: async () => kafkaState(publisher, relay?.standsBy ?? false) },
    {
      name: 'lanes',
      check: async () => {
        if (!leases) return { ok: true, detail: 'none: Kafka is disabled' };
        const ok = leases.isFresh;
        if (!ok) return { ok, detail: 'the lease could not be renewed' };
        return { ok, detail: `${leases.size} owned${relay?.standsBy ? ', standing by' : ''}` };
      },
    },
  ];
}

async function reachable(database: Pool): Promise<{ ok: boolean; detail?: string }> {
  const enough = new AbortController();
  const answered = database.query('SELECT 1').then(
    () => ({ ok: true }),
    () => ({ ok: false, detail: 'cannot be reached' }),
  );
  const late = sleep(timeoutMs, enough.signal).then(() => ({ ok: false, detail: 'does not answer' }));
  const result = await Promise.race([answered, late]);
  enough.abort();
  return result;
}

function kafkaState(
  publisher: KafkaPublisher | undefined,
  standsBy: boolean,
): { ok: boolean; detail?: string } {
  if (!publisher) return { ok: true, detail: 'disabled: events wait in the outbox' };
  if (!publisher.connected) {
    const why = publisher.failure === undefined ? '' : ` (${publisher.failure})`;
    return { ok: false, detail: `not connected${why}; events wait in the outbox` };
  }
  if (standsBy) return { ok: false, detail: 'does not answer; the lanes are left to other relays' };
  const troubles = [...publisher.topicTroubles.values()];
  if (troubles.length === 0) return { ok: true };
  return {
    ok: false,
    detail: troubles.map((trouble) => describeTopicTrouble(trouble, publisher.account)).join(' '),
  };
}
