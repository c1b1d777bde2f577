/*
 * Both engines against plain Prisma and against a view of their own tables, by random sequences of writes.
 *
 * `npm run test:differential -- --runs 100000` runs it for long, on sequences that nobody has seen. It sets:
 *
 * DIFFERENTIAL_RUNS   how many sequences (a long run: 100000)
 * DIFFERENTIAL_SEED   the seed that a run has printed, to run the same sequences again; "random" for new ones. A plain
 *                     run always takes the same, so that it never fails for what nobody has just changed
 * DIFFERENTIAL_PATH   with the seed, the path that a failure has printed, to begin with the smallest failing sequence
 */
import fc from 'fast-check';
import { Divergence, runSequence, type Tally } from './compare';
import { openSubject, type Subject } from './databases';
import { printSequence } from './print';
import { sequences } from './sequences';
import type { Step } from './steps';

const numberOf = (name: string): number | undefined =>
  process.env[name] ? Number(process.env[name]) : undefined;

const seed =
  process.env['DIFFERENTIAL_SEED'] === 'random'
    ? Date.now() % 2 ** 31
    : (numberOf('DIFFERENTIAL_SEED') ?? 20_261_121);
const runs = numberOf('DIFFERENTIAL_RUNS') ?? 100;
const path = process.env['DIFFERENTIAL_PATH'];

const minute = 60_000;
const timeLimit = 10 * minute + runs * 2_000;

interface Plan {
  readonly subjects: () => readonly Subject[];
  readonly numRuns: number;
  /** Whether limits may leave a choice to Postgres: then databases are not compared with each other. */
  readonly anyLimit?: boolean;
}

/** Runs sequences until one fails, then the smallest one that still fails, and tells it. */
async function explore({ subjects, numRuns, anyLimit = false }: Plan): Promise<Tally> {
  const tally: Tally = { events: 0, steps: 0, calls: 0, failedCalls: 0 };
  const started = Date.now();
  const property = fc.asyncProperty(sequences({ anyLimit }), (steps) =>
    runSequence(subjects(), steps, tally, !anyLimit),
  );
  const details = await fc.check(property, { seed, numRuns, ...(path ? { path } : {}) });
  if (details.failed) throw new Error(report(details), { cause: details.errorInstance });
  const seconds = (Date.now() - started) / 1_000;
  process.stderr.write(
    `${expect.getState().currentTestName ?? ''}: seed ${seed}, ${details.numRuns} sequences, ${tally.steps} steps, ` +
      `${tally.events} events, ${tally.failedCalls} of ${tally.calls} calls failed, ${(details.numRuns / seconds).toFixed(1)} sequences/s\n`,
  );
  return tally;
}

function report(details: fc.RunDetails<[Step[]]>): string {
  const { counterexample, counterexamplePath, numRuns, numShrinks, errorInstance } = details;
  const again = `DIFFERENTIAL_SEED=${details.seed} DIFFERENTIAL_PATH=${counterexamplePath ?? ''}`;
  return [
    `Sequence ${numRuns} diverges. The smallest that still does, after ${numShrinks} simplifications:`,
    '',
    counterexample ? printSequence(counterexample[0]) : '(none)',
    '',
    errorInstance instanceof Divergence ? errorInstance.message : String(errorInstance),
    '',
    `Again: ${again} npx jest --testPathPatterns integration/differential -t '${expect.getState().currentTestName ?? ''}'`,
  ].join('\n');
}

describe('both engines', () => {
  let opened: Subject[] = [];
  beforeAll(async () => {
    opened = await Promise.all([openSubject('plain'), openSubject('middleware'), openSubject('trigger')]);
  });
  afterAll(async () => {
    await Promise.all(opened.map((subject) => subject.close()));
  });

  it(
    'show callers what plain Prisma shows, and say the same of every change',
    async () => {
      const { events, calls, failedCalls } = await explore({ subjects: () => opened, numRuns: runs });
      if (path || runs < 100) return;
      expect(events).toBeGreaterThan(4 * runs);
      expect(failedCalls).toBeGreaterThan(calls / 10);
      expect(failedCalls).toBeLessThan(0.4 * calls);
    },
    timeLimit,
  );

  it(
    'say what their tables say when a limit leaves it to Postgres which rows are written',
    async () => {
      await explore({ subjects: () => opened.slice(1), numRuns: Math.ceil(runs / 8), anyLimit: true });
    },
    timeLimit,
  );
});

describe('both engines in one database', () => {
  let opened: Subject[] = [];
  beforeAll(async () => {
    opened = await Promise.all([openSubject('middleware', { triggersToo: true }), openSubject('trigger')]);
  });
  afterAll(async () => {
    await Promise.all(opened.map((subject) => subject.close()));
  });

  it(
    'say of every change of a captured client what one of them would say alone',
    async () => {
      await explore({ subjects: () => opened, numRuns: Math.ceil(runs / 8) });
    },
    timeLimit,
  );
});
