/**
 * Behind `npm run test:differential`: the differential test for as long as one likes, on sequences nobody has seen.
 * It prints the seed and the counts; a difference ends it with the smallest sequence that shows it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Command, InvalidArgumentError } from 'commander';

interface Options {
  readonly runs: number;
  readonly seed?: number;
  readonly path?: string;
}

function number(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new InvalidArgumentError('It must be a whole number above 0.');
}

async function main(): Promise<void> {
  const program = new Command('npm run test:differential --')
    .description(
      'Compares both capture engines with each other and with plain Prisma, by random sequences of writes.',
    )
    .option('--runs <count>', 'how many sequences; some ten a second on an idle machine', number, 1_000)
    .option('--seed <seed>', 'the seed that a run has printed, for the same sequences again', number)
    .option('--path <path>', 'with --seed: what a failure has printed, to begin with the smallest sequence')
    .parse();
  const { runs, seed, path } = program.opts<Options>();
  const env = {
    ...process.env,
    DIFFERENTIAL_RUNS: String(runs),
    DIFFERENTIAL_SEED: seed === undefined ? 'random' : String(seed),
    ...(path === undefined ? {} : { DIFFERENTIAL_PATH: path }),
  };
  const args = [
    require.resolve('jest/bin/jest'),
    '--ci',
    '--testPathPatterns',
    'test/integration/differential',
  ];
  const jest = spawn(process.execPath, args, { env, stdio: 'inherit' });
  // Ctrl-C reaches jest too, which stops its servers; then it is our turn.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => jest.kill(signal));
  const [code] = (await once(jest, 'exit')) as [number | null];
  process.exitCode = code ?? 1;
}

void main();
