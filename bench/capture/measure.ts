import type { Scenario } from './scenarios';
import type { Variant } from './variant';

/** Rows per second, by scenario, variant and round. */
export class Measurements {
  readonly #rates = new Map<string, number[]>();

  add(scenario: Scenario, variant: Variant, rate: number): void {
    const key = keyOf(scenario, variant.name);
    this.#rates.set(key, [...(this.#rates.get(key) ?? []), rate]);
  }

  of(scenario: Scenario, variant: string): readonly number[] {
    return this.#rates.get(keyOf(scenario, variant)) ?? [];
  }

  /** The median of the rounds' ratios: two variants of one round had the same weather. */
  ratio(scenario: Scenario, variant: string, baseline: string): number | undefined {
    const base = this.of(scenario, baseline);
    const ratios = this.of(scenario, variant).map((rate, round) => rate / (base[round] ?? Number.NaN));
    return ratios.length === 0 || base.length === 0 ? undefined : median(ratios);
  }
}

const keyOf = ({ name, concurrency }: Scenario, variant: string): string =>
  `${name}/${concurrency}/${variant}`;

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

/** Runs workers for the given time, whole operations only, and returns rows per second. */
export async function rate(
  { concurrency, rows }: Scenario,
  operation: (worker: number) => Promise<void>,
  durationMs: number,
): Promise<number> {
  let done = 0;
  const started = performance.now();
  const work = async (worker: number): Promise<void> => {
    do {
      await operation(worker);
      done += 1;
    } while (performance.now() - started < durationMs);
  };
  await Promise.all(Array.from({ length: concurrency }, (_, worker) => work(worker)));
  return (done * rows * 1_000) / (performance.now() - started);
}
