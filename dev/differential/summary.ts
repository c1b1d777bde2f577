import type { Tally } from '../../test/integration/differential/tally';

/** What a run did, as lines: nobody is to believe that something was tried that was not. */
export function summary(tally: Tally, seed: number, seconds: number): string {
  const { sequences, steps, events, calls, failedCalls, operations } = tally;
  const rows = Object.entries(operations).sort(([a], [b]) => (a < b ? -1 : 1));
  const width = Math.max(0, ...rows.map(([name]) => name.length));
  const writes = rows.filter(([name]) => isWrite(name));
  const written = writes.reduce((sum, [, count]) => sum + count.calls, 0);
  return [
    `Seed ${seed}: ${sequences} sequences of ${steps} steps, ${(sequences / seconds).toFixed(1)} sequences/s`,
    `${written} writes on each client; ${failedCalls} of ${calls} calls failed, as without capture; ${events} events of each engine`,
    '',
    `${'operation'.padEnd(width)} ${'calls'.padStart(9)} ${'failed'.padStart(9)}`,
    ...rows.map(
      ([name, { calls: all, failed }]) =>
        `${name.padEnd(width)} ${String(all).padStart(9)} ${String(failed).padStart(9)}`,
    ),
  ].join('\n');
}

/** A line of its own for what a write does to related rows is no further write. */
const isWrite = (name: string): boolean => /^(patient|appointment)\.\w+$/.test(name);
