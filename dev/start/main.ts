/**
 * `npm start`: everything that Signalbox is made of, in one terminal. Exit codes: 0 after a signal, 1 when it could
 * not start or a part could not be kept running, 130 when a second signal cut the stopping short.
 */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command } from 'commander';
import { UserError } from '../../src/shared/lifecycle';
import { createLogger, type Logger } from '../../src/shared/logger';
import { findProjectRoot } from '../kafka/projectRoot';
import { announcement } from './announcement';
import { claimDataDirectory, type DataDirectory, DirectoryInUse } from './dataDirectory';
import { createOutput, wantsColour } from './output';
import { portProblems } from './ports';
import { partNames } from './programs';
import { readSettings, type Settings, wantedPorts } from './settings';
import { installStopSwitch, type StopSwitch } from './stopSwitch';
import { Supervisor } from './supervise';

interface Options {
  fresh?: boolean;
}

function readArguments(): Options {
  return new Command('npm start --')
    .description(
      'Runs Postgres, a Kafka-protocol broker, the API, the relay, the consumers and the console, with one log.\n' +
        'Set DATABASE_URL or KAFKA_BOOTSTRAP_SERVERS to use servers of your own; .env.example lists all variables.',
    )
    .option('--fresh', 'empty the data of the embedded servers first')
    .parse()
    .opts<Options>();
}

/** @throws UserError with everything that stands in the way, one a line */
async function claim(directory: string, settings: Settings, logger: Logger): Promise<DataDirectory> {
  const problems: string[] = [];
  const claimed = await claimDataDirectory(directory, logger).catch((error: unknown) => {
    if (!(error instanceof DirectoryInUse)) throw error;
    problems.push(error.message);
  });
  problems.push(...(await portProblems(wantedPorts(settings))));
  if (claimed !== undefined && problems.length === 0) return claimed;
  await claimed?.release();
  throw new UserError(problems.join('\n'));
}

async function run(supervisor: Supervisor, settings: Settings, stopSwitch: StopSwitch): Promise<void> {
  const ended = [stopSwitch.requested, supervisor.failed];
  const started = supervisor.start();
  const outcome = await Promise.race([started, ...ended]);
  if (typeof outcome === 'string') {
    // Stopping makes what is still starting fail; that is no news.
    started.catch(() => undefined);
    return;
  }
  output.plain(announcement(settings, outcome, randomBytes(3).toString('hex')));
  await Promise.race(ended);
}

const output = createOutput({
  write: (text) => void process.stdout.write(text),
  pretty: process.stdout.isTTY,
  colour: wantsColour(process.stdout, process.env),
  names: partNames,
});

async function main(): Promise<number> {
  const { fresh } = readArguments();
  const root = findProjectRoot(__dirname);
  process.chdir(root);
  if (existsSync('.env')) process.loadEnvFile('.env');
  const settings = readSettings(process.env);
  const loggerOf = (name: string): Logger =>
    createLogger({ level: settings.LOG_LEVEL, name }, { write: (line) => output.line(name, line.trimEnd()) });
  const logger = loggerOf('signalbox');
  const directory = await claim(resolve(settings.SIGNALBOX_DATA_DIR), settings, logger);
  if (fresh) await directory.empty();
  const supervisor = new Supervisor({
    root,
    settings,
    environment: process.env,
    directory,
    output,
    loggerOf,
  });
  const underNpm = process.env['npm_lifecycle_event'] === 'start';
  const atOnce = (): void => {
    supervisor.kill();
    process.exit(130);
  };
  process.on('uncaughtExceptionMonitor', () => supervisor.kill());
  let exitCode = 0;
  try {
    await run(supervisor, settings, installStopSwitch({ underNpm, atOnce }));
  } catch (error) {
    exitCode = 1;
    report(error);
  }
  logger.info('stopping; a second Ctrl-C ends everything at once');
  await directory.markStopping();
  await supervisor.stop();
  await directory.release();
  logger.info('everything has stopped');
  return exitCode;
}

/** What a person can mend is said in words; anything else with its stack. */
function report(error: unknown): void {
  const known = error instanceof UserError || (error instanceof Error && error.name === 'ConfigError');
  process.stderr.write(`\n${known ? error.message : ((error as Error).stack ?? String(error))}\n\n`);
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    report(error);
    process.exit(1);
  },
);
