import { Command, InvalidArgumentError, Option } from 'commander';
import { type ApiBenchmarkOptions, benchmarkApi } from './api/benchmark';
import { benchmarkCapture, type CaptureBenchmarkOptions } from './capture/benchmark';
import { benchmarkConsume, type ConsumeBenchmarkOptions } from './consume/benchmark';
import { benchmarkRelay } from './relay/benchmark';
import { parts, type RelayBenchmarkOptions } from './relay/options';

function count(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new InvalidArgumentError('It must be a whole number above 0.');
}

const bench = new Command('npm run bench --').description(
  'Benchmarks, each with its baselines in the same run. They bring their own servers.',
);

bench
  .command('capture')
  .description('what capture costs a write: both engines against plain Prisma and what people write by hand')
  .option('--quick', 'seconds instead of minutes: shows that it runs, not how fast')
  .option('--rounds <count>', 'rounds of which the median is taken', count)
  .option('--json', 'one line of JSON and no tables')
  .action((options: CaptureBenchmarkOptions) => benchmarkCapture(options));

bench
  .command('relay')
  .description(
    'how fast the relay publishes, against kafkajs by itself; its latency, its memory, its cost when idle',
  )
  .option('--quick', 'under a minute: shows that it runs, not how fast')
  .option('--full', 'a backlog and a history of five million events: takes an hour')
  .option('--rounds <count>', 'drains of each kind, of which the median is taken', count)
  .option('--events <count>', 'events of a drain and of the backlog, instead of the usual number', count)
  .addOption(
    new Option('--kafka <which>', 'the dev broker, or Apache Kafka from jars (needs Java and Maven)')
      .choices(['dev', 'real'])
      .default('dev'),
  )
  .addOption(new Option('--only <parts...>', 'some parts only').choices(parts))
  .option('--plot <file>', 'write throughput over time to this file, as an SVG')
  .option('--json', 'one line of JSON and no tables')
  .action((options: RelayBenchmarkOptions) => benchmarkRelay(options));

bench
  .command('consume')
  .description('messages per second through the runner with its inbox, against bare kafkajs consumers')
  .option('--quick', 'seconds instead of minutes: shows that it runs, not how fast')
  .option('--rounds <count>', 'rounds of which the median is taken', count)
  .option('--kafka', 'a real Apache Kafka, found as npm run test:kafka finds it, in place of the dev broker')
  .option('--durable', 'Postgres waits for its disk at each commit')
  .option('--json', 'one line of JSON and no tables')
  .action((options: ConsumeBenchmarkOptions) => benchmarkConsume(options));

bench
  .command('api')
  .description('what a request pays for events: with Kafka up and down, with capture and without')
  .option('--quick', 'seconds instead of minutes: shows that it runs, not how fast')
  .option('--rounds <count>', 'rounds of which the median is taken', count)
  .option('--json', 'one line of JSON and no tables')
  .action((options: ApiBenchmarkOptions) => benchmarkApi(options));

bench.parseAsync().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
  process.exitCode = 1;
});
