import { existsSync } from 'node:fs';
import { Command, Option } from 'commander';
import { createKafka } from '../../kafka/client';
import { ConfigError, loadConfig } from '../../shared/config/load';
import { kafkaVariables } from '../../shared/config/variables';
import { UserError } from '../../shared/lifecycle';
import { createLogger } from '../../shared/logger';
import { parseFilters, parseLimit, selectTopics, startOf } from './arguments';
import { type Format, formats } from './formats';
import { Output } from './output';
import { tail } from './tail';
import { catalogue } from '../../healthcore/catalogue';

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

async function main(names: string[], options: Options): Promise<void> {
  if (existsSync('.env')) process.loadEnvFile('.env');
  const config = loadConfig(variables, process.env);
  const terminal = process.stdout.isTTY;
  const tell = (line: string): void => void process.stderr.write(`${line}\n`);
  const logger = createLogger(
    { name: 'console', level: 'warn' },
    { write: (line) => tell((JSON.parse(line) as { msg: string }).msg) },
  );
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
      colour: terminal && (process.env['NO_COLOR'] ?? '') === '',
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
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (end.signal.aborted) process.exit(0);
      end.abort();
    });
  }
  return end.signal;
}

/** What a user can mend is one line; anything else is a defect, whose stack is wanted. */
function fail(error: unknown): never {
  const known = error instanceof UserError || error instanceof ConfigError;
  const text = known
    ? error.message
    : error instanceof Error
      ? (error.stack ?? error.message)
      : String(error);
  process.stderr.write(`${text}\n`);
  process.exit(1);
}

const repeatable = (value: string, earlier: string[]): string[] => [...earlier, value];

const command = new Command('npm run console --')
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
  npm run console -- appointment.cancelled --from-beginning
  npm run console -- 'patient.*' --since 10m --format json
  npm run console -- --filter data.status=CANCELLED --limit 5
  npm run console -- --dead-letters --from-beginning --headers`,
  )
  .action((names: string[], options: Options) => main(names, options).then(() => process.exit(0), fail));
void command.parseAsync();
