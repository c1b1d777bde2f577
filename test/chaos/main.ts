/** Behind `npm run test:chaos`. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { postWatchman } from '../../dev/kafka/watchman';
import { calmIdleTimers } from '../../src/kafka/kafkajs/idleTimers';
import { passed, report } from './report';
import { run } from './run';
import type { BrokerKind } from './world/broker';

interface Arguments {
  readonly minutes: number;
  readonly seed?: number;
  readonly kafka: BrokerKind;
  readonly keep?: boolean;
}

const command = new Command('npm run test:chaos --')
  .description(
    'Writers, relays and consumers in a storm of kills, pauses, outages and cut connections; then an independent\n' +
      'checker compares what was committed with what was published and what consumers did. It brings its own servers.',
  )
  .option('--minutes <count>', 'length of the storm', positive, 0.75)
  .option('--seed <number>', 'of chance; the report names it (default: by the clock)', positive)
  .addOption(
    new Option('--kafka <kind>', 'the dev broker, or Apache Kafka from jars (needs Java 17 and Maven)')
      .choices(['dev', 'real'])
      .default('dev'),
  )
  .option('--keep', 'keep data and logs also when all is well')
  .parse();

function positive(text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError('It must be a number above 0.');
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);

async function main({ minutes, kafka: kind, keep, seed = Date.now() % 1_000_000 }: Arguments): Promise<void> {
  calmIdleTimers();
  const directory = await mkdtemp(join(tmpdir(), 'signalbox-chaos-'));
  const dismissWatchman = await postWatchman(directory);
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => interrupted.abort());
  say(`Seed ${seed}; data and logs in ${directory}`);
  let good = false;
  try {
    const options = { seed, minutes, kind, directory, onProgress: say, interrupted: interrupted.signal };
    const outcome = await run(options);
    good = passed(outcome);
    say(`\n${report(options, outcome)}`);
  } finally {
    if (good && !keep) await rm(directory, { recursive: true, force: true, maxRetries: 5 });
    else say(`Data and logs are kept in ${directory}`);
    await dismissWatchman();
  }
  process.exitCode = good ? 0 : 1;
  // A client of a broker that was killed may hold the event loop open.
  process.exit();
}

main(command.opts<Arguments>()).catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
});
