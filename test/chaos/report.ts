import { isClean } from './checker/check';
import type { Outcome, RunOptions } from './run';

/** Most examples of a fault. */
const examples = 5;

/** What a person wants to know of a run. */
export function report(
  { seed, minutes, kind }: Pick<RunOptions, 'seed' | 'minutes' | 'kind'>,
  outcome: Outcome,
): string {
  const { verdict, disturbances, findings, caughtUp } = outcome;
  const struck = [...disturbances].map(([name, count]) => `  ${String(count).padStart(5)}  ${name}`);
  const faults = Object.entries<readonly string[]>({ ...verdict.faults }).filter(
    ([, list]) => list.length > 0,
  );
  return [
    `Seed ${seed}, ${minutes} min, ${kind === 'real' ? 'Apache Kafka' : 'dev broker'}`,
    '',
    'Disturbances',
    ...struck,
    '',
    `  ${verdict.committed} changes committed`,
    `  ${verdict.published} events published, ${verdict.repeated} further copies of them`,
    `  ${verdict.effects} effects of consumers`,
    ...(caughtUp ? [] : ['', 'The consumers did not catch up in time.']),
    ...faults.flatMap(([name, list]) => [
      '',
      `FAULT ${name}: ${list.length}`,
      ...list.slice(0, examples).map((line: string) => `  ${line}`),
    ]),
    ...(findings.length > 0
      ? ['', `FINDINGS: ${findings.length}`, ...findings.map((line) => `  ${line}`)]
      : []),
    '',
    passed(outcome)
      ? 'Nothing lost, nothing invented, nothing out of order, every effect once.'
      : `FAILED. Again with: npm run test:chaos -- --seed ${seed} --minutes ${minutes} --kafka ${kind}`,
    '',
  ].join('\n');
}

/** Whether the run is one to be content with. */
export function passed({ verdict, findings, caughtUp }: Outcome): boolean {
  return isClean(verdict) && findings.length === 0 && caughtUp;
}
