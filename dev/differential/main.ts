/**
 * Behind `npm run test:differential`: the differential test for as long as one likes, on sequences nobody has seen, by
 * several processes at a time. A difference ends it with the smallest sequence that shows it.
 */
import { availableParallelism } from 'node:os';
import { Command, InvalidArgumentError, Option } from 'commander';
import { type PlanName, planNames } from '../../test/integration/differential/plans';
import { startServers } from '../../test/support/servers';
import { runParts } from './crew';
import { partsOf, sequencesIn, workersFor } from './parts';
import { Progress } from './progress';
import { summary } from './summary';

interface Options {
  readonly runs: number;
  readonly seed?: number;
  readonly path?: string;
  readonly plan?: PlanName;
  readonly workers: number;
}

function number(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new InvalidArgumentError('It must be a whole number above 0.');
}

const command = new Command('npm run test:differential --')
  .description(
    'Compares both capture engines with each other and with plain Prisma, by random sequences of writes.',
  )
  .option(
    '--runs <count>',
    'how many sequences against plain Prisma; a quarter more are run without it',
    number,
    1_000,
  )
  .option(
    '--seed <seed>',
    'what a run has printed, for the same sequences again (default: by the clock)',
    number,
  )
  .option(
    '--path <path>',
    'with --seed and --plan: what a failure has printed, to begin with the smallest sequence',
  )
  .addOption(new Option('--plan <plan>', 'only these sequences (default: all)').choices(planNames))
  // One more than cores: each waits for Postgres now and then.
  .option('--workers <count>', 'how many processes at most', number, availableParallelism() + 1)
  .parse();

const say = (text: string): void => void process.stdout.write(`${text}\n`);

async function main({ seed = Date.now() % 2 ** 31, ...options }: Options): Promise<void> {
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => interrupted.abort());
  const parts = partsOf({ ...options, seed }, options.workers);
  const servers = await startServers({ broker: false });
  try {
    say(`Seed ${seed}`);
    const startedAt = performance.now();
    const progress = new Progress(sequencesIn(parts), process.stderr);
    const { tally, difference } = await runParts({
      parts,
      workers: workersFor(parts, options.workers),
      interrupted: interrupted.signal,
      ran: () => progress.advance(),
      diverged: () => {
        progress.end();
        say('A sequence diverges. Simpler ones are tried …');
      },
    });
    progress.end();
    if (interrupted.signal.aborted) say('Interrupted; until then:');
    say(summary(tally, seed, (performance.now() - startedAt) / 1_000));
    if (difference !== undefined) say(`\n${difference}`);
    process.exitCode = difference === undefined && !interrupted.signal.aborted ? 0 : 1;
  } finally {
    await servers.stop();
  }
}

main(command.opts<Options>()).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
});
