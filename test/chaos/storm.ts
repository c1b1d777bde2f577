import { setTimeout as sleep } from 'node:timers/promises';
import { type Disturbance, disturbances, type Wait } from './disturbances';
import type { Random } from './random';
import type { World } from './world/world';

export interface Storm {
  /** How often each disturbance struck. */
  readonly counts: ReadonlyMap<string, number>;
  /** Ends it; resolves when everything is healed. */
  end(): Promise<void>;
}

/** Shortest and longest time between two disturbances: fast enough that they overlap. */
const gapMs = [100, 1_500] as const;
const gustMs = [8_000, 20_000] as const;

const drawn = disturbances.flatMap((it) => Array.from({ length: it.weight }, () => it));

/**
 * Disturbs everything, at random, until it is ended. Gusts alternate with lulls, which last until `quiet` resolves:
 * whatever strikes a system that has not recovered from the last gust meets nobody at work.
 */
export function raise(world: World, random: Random, quiet: (over: AbortSignal) => Promise<void>): Storm {
  const counts = new Map(disturbances.map(({ name }) => [name, 0]));
  const over = new AbortController();
  const wait: Wait = (ms) => sleep(ms, undefined, { signal: over.signal }).catch(() => undefined);
  const healing = new Set<Promise<void>>();
  const failures: unknown[] = [];
  const strike = ({ name, begin }: Disturbance): void => {
    const healed = begin(world, random, wait);
    if (!healed) return;
    counts.set(name, (counts.get(name) ?? 0) + 1);
    healing.add(healed.catch((error: unknown) => void failures.push(error)));
  };
  const running = (async () => {
    while (!over.signal.aborted) {
      const lull = Date.now() + random.between(...gustMs);
      while (!over.signal.aborted && Date.now() < lull) {
        await wait(random.between(...gapMs));
        if (!over.signal.aborted) strike(random.pick(drawn));
      }
      await Promise.all(healing);
      healing.clear();
      await quiet(over.signal);
    }
  })();
  return {
    counts,
    end: async () => {
      over.abort();
      await running;
      await Promise.all(healing);
      if (failures.length > 0) throw failures[0];
    },
  };
}
