import type { Pool } from 'pg';
import { describeTarget, isSameTarget, readTarget, type Target } from '../../outbox/log/target';
import { type Check, fail, ok } from './finding';

/** Whether the KAFKA_* variables name the Kafka to which the outbox is published. */
export function targetCheck(pool: Pool, named: Target): Check {
  const check = 'target';
  return {
    name: check,
    run: async () => {
      const known = await readTarget(pool);
      if (!known) return [ok(check, 'none yet: the first relay that reaches Kafka sets it')];
      if (isSameTarget(known, named)) return [ok(check, describeTarget(known))];
      return [
        fail(
          check,
          `the outbox is published to ${describeTarget(known)}, but the KAFKA_* variables name ${describeTarget(named)}`,
          'Relays with these variables are refused. Correct them, or see "npx signalbox ops outbox target".',
        ),
      ];
    },
  };
}
