import { Command } from 'commander';
import type { Frame } from './frame';

type Build = (frame: Frame) => Command | Promise<Command>;

/** What the program can do: a line for its help, and what builds the command when it is the one that was called. */
const commands: Readonly<Record<string, { readonly summary: string; readonly load: () => Promise<Build> }>> =
  {
    init: {
      summary: 'set Signalbox up in a Prisma project: catalogue, configuration, migration',
      load: async () => (await import('./commands/init.js')).initCommand,
    },
    sync: {
      summary: 'write the migration that brings the triggers in line with the catalogue',
      load: async () => (await import('./commands/sync.js')).syncCommand,
    },
    check: {
      summary: 'compare schema, catalogue, migrations and database; for CI',
      load: async () => (await import('./commands/check.js')).checkCommand,
    },
    migrate: {
      summary: 'apply the migrations that the database lacks',
      load: async () => (await import('./commands/migrate.js')).migrateCommand,
    },
    relay: {
      summary: 'publish the events of the outbox to Kafka',
      load: async () => (await import('./commands/relay.js')).relayCommand,
    },
    consumers: {
      summary: 'run the consumers of the configuration',
      load: async () => (await import('./commands/consumers.js')).consumersCommand,
    },
    console: {
      summary: 'show events as they pass through Kafka',
      load: async () => (await import('./commands/console.js')).consoleCommand,
    },
    ops: {
      summary: 'look after the outbox, topics, groups and dead letters',
      load: async () => (await import('./commands/ops.js')).opsCommand,
    },
    schemas: {
      summary: 'write the JSON Schemas of all events',
      load: async () => (await import('./commands/schemas.js')).schemasCommand,
    },
    doctor: {
      summary: 'look at configuration, database and Kafka, and say what to do',
      load: async () => (await import('./commands/ops.js')).doctorOf,
    },
  };

/**
 * The program `signalbox`. Only the command that `chosen` names is built, so that none pays for what others import.
 */
export async function signalbox(frame: Frame, chosen: string | undefined, version: string): Promise<Command> {
  const program = new Command('signalbox')
    .description(
      'Domain events of what Prisma writes, stored in the same transaction and published to Kafka.',
    )
    .version(version)
    .option('--config <file>', 'the configuration; signalbox.config.ts of this folder by default')
    .showSuggestionAfterError();
  for (const [name, { summary, load }] of Object.entries(commands)) {
    if (name === chosen) program.addCommand((await (await load())(frame)).summary(summary));
    else program.command(name).summary(summary);
  }
  return program;
}
