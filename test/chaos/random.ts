/** Chance with a memory: the same seed draws the same numbers, so that a run can be tried again. */
export interface Random {
  /** In [0, 1). */
  next(): number;
  /** A whole number from `min` to `max`, both included. */
  between(min: number, max: number): number;
  chance(probability: number): boolean;
  /** One of the list, which must not be empty. */
  pick<T>(list: readonly T[]): T;
  /** Another source, which draws independently of how often this one is asked from now on. */
  fork(): Random;
}

/** Mulberry32. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  const between = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1));
  return {
    next,
    between,
    chance: (probability) => next() < probability,
    pick: (list) => {
      const index = between(0, list.length - 1);
      if (index >= list.length || index < 0) throw new Error('There is nothing to pick from.');
      return list[index] as (typeof list)[number];
    },
    fork: () => randomFrom(Math.floor(next() * 2 ** 31)),
  };
}
