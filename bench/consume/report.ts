import { median } from '../capture/measure';
import type { Measured } from './measure';

/** What each round gave, by variant. */
export type Rounds = Map<string, Measured[]>;

const shipped = 'runner, audit-log as shipped';
const inTurn = 'runner, handlers in a shared transaction';
const barePrisma = 'bare, Prisma, an insert a message';
const barePg = 'bare, pg, an insert a message';
const batches = 'bare, pg, an insert for 100';

/** For people: median and spread of the rounds, processor time, and the median ratios to the bare consumers. */
export function table(rounds: Rounds): string {
  const lines = [...rounds.keys()].map((name) => {
    const rates = ratesOf(rounds, name);
    return [
      `  ${name.padEnd(42)}`,
      whole(median(rates)).padStart(7),
      `${whole(Math.min(...rates))} to ${whole(Math.max(...rates))}`.padStart(18),
      `${whole(median((rounds.get(name) ?? []).map(({ cpuMicros }) => cpuMicros)))} us`.padStart(9),
      `${ratio(rounds, name, barePg).toFixed(2)} of bare pg, ${ratio(rounds, name, barePrisma).toFixed(2)} of bare Prisma`,
    ].join('  ');
  });
  return ['consume: messages per second, spread, processor time for each message', ...lines, ''].join('\n');
}

const whole = (value: number): string => Math.round(value).toLocaleString('en');

/** The figures that others read. The first compares with the bare consumer that is faster, the one without Prisma. */
export function figures(rounds: Rounds): Record<string, number> {
  const wanted: Record<string, [string, string]> = {
    runner_vs_bare: [shipped, barePg],
    runner_vs_bare_batched: [shipped, batches],
    runner_in_turn_vs_bare: [inTurn, barePg],
    runner_in_turn_vs_bare_prisma: [inTurn, barePrisma],
  };
  return Object.fromEntries(
    Object.entries(wanted).map(([key, [variant, baseline]]) => [
      key,
      Number(ratio(rounds, variant, baseline).toFixed(3)),
    ]),
  );
}

const ratesOf = (rounds: Rounds, name: string): number[] =>
  (rounds.get(name) ?? []).map(({ messagesPerSecond }) => messagesPerSecond);

/** The median of the rounds' ratios: two variants of one round had the same weather. */
function ratio(rounds: Rounds, variant: string, baseline: string): number {
  const base = ratesOf(rounds, baseline);
  return median(ratesOf(rounds, variant).map((rate, round) => rate / (base[round] ?? Number.NaN)));
}
