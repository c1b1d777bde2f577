import { Command, Option } from 'commander';
import { parseFilters, parseLimit, selectTopics, startOf } from '../../consumers/console/arguments';
import { type Format, formats } from '../../consumers/console/formats';
import { Output } from '../../consumers/console/output';
import { tail } from '../../consumers/console/tail';
import type { Catalogue } from '../../events/catalogue';
import { createKafka } from '../../kafka/kafkajs/client';
import { type Environment, loadConfig } from '../../shared/config/load';
import { kafkaVariables } from '../../shared/config/variables';
import type { Logger } from '../../shared/logger';
import { onStopSignal } from '../../shared/stopSignal';
import type { Frame } from '../frame';

interface Options {
  fromBeginning?: boolean;
  since?: string;
  group?: string;
  key?: string;
  filter: string[];
  limit?: string;
  format?: Format;
  headers?: boolean;
  deadLetters?: boolean;
  wait?: boolean;
}

/** `npm start` has its broker here; a developer's console should find it without a word. */
const embeddedBroker = ['127.0.0.1:29092'];

const variables = {
  ...kafkaVariables,
  KAFKA_BOOTSTRAP_SERVERS: kafkaVariables.KAFKA_BOOTSTRAP_SERVERS.default(embeddedBroker),
};

interface Surroundings {
  readonly catalogue: Catalogue;
  readonly environment: Environment;
  readonly logger: Logger;
}

async function showEvents(
  names: string[],
  options: Options,
  { catalogue, environment, logger }: Surroundings,
): Promise<void> {
  const config = loadConfig(variables, environment);
  const terminal = process.stdout.isTTY;
  const tell = (line: string): void => void process.stderr.write(`${line}\n`);
  await tail(
    {
      kafka: createKafka(config, logger),
      brokers: config.KAFKA_BOOTSTRAP_SERVERS,
      catalogue,
      topicPrefix: config.KAFKA_TOPIC_PREFIX,
      selection: selectTopics(catalogue, names, config.KAFKA_TOPIC_PREFIX, options.deadLetters ?? false),
      startAt: startOf(options, Date.now()),
      group: options.group,
      key: options.key,
      filters: parseFilters(options.filter),
      limit: options.limit === undefined ? undefined : parseLimit(options.limit),
      format: options.format ?? (terminal ? 'pretty' : 'json'),
      headers: options.headers ?? false,
      deadLetters: options.deadLetters ?? false,
      wait: options.wait ?? false,
      colour: terminal && (environment['NO_COLOR'] ?? '') === '',
      terminal,
      output: new Output(process.stdout),
      tell,
      logger,
    },
    endOnSignal(),
  );
}

/** Ctrl-C is how one leaves a console; a second one leaves at once. */
function endOnSignal(): AbortSignal {
  const end = new AbortController();
  onStopSignal(
    () => end.abort(),
    () => process.exit(0),
  );
  return end.signal;
}

const repeatable = (value: string, earlier: string[]): string[] => [...earlier, value];

/** `signalbox console`. */
export function consoleCommand(frame: Frame): Command {
  return new Command('console')
    .description('Shows events as they pass through Kafka, and leaves no trace unless a group is named.')
    .argument('[name...]', 'event types (patient.created, patient.*) or topics; all event types without any')
    .option('--from-beginning', 'everything that Kafka still holds, then what comes')
    .option('--since <time>', 'from a time on: 30s, 10m, 2h, 3d ago, or 2026-01-05T19:00:00Z')
    .option('--group <name>', 'keep the place in a consumer group and go on from there the next time')
    .option('--key <key>', 'only messages of this key')
    .option(
      '--filter <condition>',
      'only where a field is (=) or is not (!=) a value; may be repeated',
      repeatable,
      [],
    )
    .option('--limit <count>', 'end after so many messages')
    .addOption(new Option('--format <format>', 'pretty on a terminal, else json').choices(formats))
    .option('--headers', 'show headers too; not with raw')
    .option('--dead-letters', 'show what consumers gave up, and why')
    .option('--wait', 'wait for brokers and topics for as long as it takes')
    .addHelpText(
      'after',
      `
Examples:
  npx signalbox console appointment.cancelled --from-beginning
  npx signalbox console 'patient.*' --since 10m --format json
  npx signalbox console --filter data.status=CANCELLED --limit 5
  npx signalbox console --dead-letters --from-beginning --headers`,
    )
    .action((names: string[], options: Options) =>
      frame.run('console', async (logger, { config: { catalogue }, environment }) => {
        await showEvents(names, options, { catalogue, environment, logger });
        return 0;
      }),
    );
}
