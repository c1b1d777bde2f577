import { type Measurements, median } from './measure';
import type { Scenario } from './scenarios';

const trigger = 'engine "trigger"';
const middleware = 'engine "middleware"';
const plain = 'Prisma, no outbox';
const handWritten = 'hand-written transaction';

/** A table for people: rows per second, median and spread of the rounds, and the median ratio to plain Prisma. */
export function table(scenario: Scenario, variants: readonly string[], measured: Measurements): string {
  const lines = variants.flatMap((variant) => {
    const rates = measured.of(scenario, variant);
    if (rates.length === 0) return [];
    const ratio = measured.ratio(scenario, variant, plain);
    const spread = `${whole(Math.min(...rates))} to ${whole(Math.max(...rates))}`;
    const share = ratio === undefined ? '' : `${ratio.toFixed(2)} of plain`;
    return `  ${variant.padEnd(30)}${whole(median(rates)).padStart(9)}  ${spread.padStart(18)}  ${share}`;
  });
  return [`${scenario.name}, concurrency ${scenario.concurrency}, rows per second`, ...lines, ''].join('\n');
}

const whole = (value: number): string => Math.round(value).toLocaleString('en');

/** The figures that others read; one that was not measured is left out. */
export function figures(scenarios: readonly Scenario[], measured: Measurements): Record<string, number> {
  const find = (name: string, concurrency: number): Scenario | undefined =>
    scenarios.find((each) => each.name.startsWith(name) && each.concurrency === concurrency);
  const wanted: [key: string, scenario: Scenario | undefined, variant: string, baseline: string][] = [
    ['trigger_vs_plain_create_c16', find('create', 16), trigger, plain],
    ['trigger_vs_handwritten_create_c16', find('create', 16), trigger, handWritten],
    ['trigger_vs_plain_update_c16', find('update', 16), trigger, plain],
    ['middleware_vs_handwritten_create_c16', find('create', 16), middleware, handWritten],
    ['middleware_vs_handwritten_update_c16', find('update', 16), middleware, handWritten],
    ['trigger_vs_plain_create_many', find('createMany', 1), trigger, plain],
    ['middleware_vs_plain_create_many', find('createMany', 1), middleware, plain],
  ];
  const found = wanted.map(
    ([key, scenario, variant, baseline]) =>
      [key, scenario && measured.ratio(scenario, variant, baseline)] as const,
  );
  return Object.fromEntries(
    found.flatMap(([key, ratio]) => (ratio === undefined ? [] : [[key, Number(ratio.toFixed(3))]])),
  );
}
