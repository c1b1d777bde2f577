/**
 * `npm run test:adopt`: packs the package, installs it into foreign projects that lie where nothing of this repository can
 * be reached, and goes the way of a user there: init, type check, migrate, a program that writes, relay, console, consumer.
 * Needs the package registry. Ends with 1 when something was not as expected.
 */
import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Command } from 'commander';
import { createLogger } from '../../src/shared/logger';
import { startDevBroker } from '../broker/broker';
import { findProjectRoot } from '../kafka/projectRoot';
import { postWatchman } from '../kafka/watchman';
import { startPostgres } from '../postgres/startPostgres';
import { adopt } from './adopt';

const root = findProjectRoot(__dirname);
const fixtures = path.join(root, 'test', 'adopt', 'fixtures');

interface Options {
  readonly prisma?: string;
}

async function main(wanted: readonly string[], { prisma }: Options): Promise<number> {
  const known = await readdir(fixtures);
  const unknown = wanted.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    process.stderr.write(`There is no fixture "${unknown}". There are: ${known.join(', ')}.\n`);
    return 1;
  }
  const directory = await mkdtemp(path.join(tmpdir(), 'signalbox-adopt-'));
  const dismissWatchman = await postWatchman(directory);
  try {
    return await adoptAll(wanted.length > 0 ? wanted : known, directory, prisma);
  } finally {
    await rm(directory, { recursive: true, force: true });
    await dismissWatchman();
  }
}

/** Resolves to 1 when one of them fails. */
async function adoptAll(names: readonly string[], directory: string, prisma?: string): Promise<number> {
  const logger = createLogger({ name: 'adopt', level: 'error' });
  const tarball = pack();
  const postgres = await startPostgres({ dataDir: path.join(directory, 'postgres'), port: 0, logger });
  const broker = await startDevBroker({ port: 0, dataDir: path.join(directory, 'kafka'), logger });
  const project = { shared: path.join(fixtures, '../shared'), tarball, prisma };
  const servers = { serverUrl: postgres.url, brokers: broker.address, watched: directory };
  let failed = 0;
  try {
    const waiting = [...names];
    const next = async (): Promise<void> => {
      const name = waiting.shift();
      if (name === undefined) return;
      const started = performance.now();
      const place = { fixture: path.join(fixtures, name), directory: path.join(directory, name) };
      const outcome = await adopt({ ...project, ...servers, ...place }).catch((error: unknown) => {
        failed += 1;
        return `FAILED: ${error instanceof Error ? error.message : String(error)}`;
      });
      const seconds = ((performance.now() - started) / 1000).toFixed(0);
      process.stdout.write(`${name.padEnd(20)} ${seconds.padStart(4)} s  ${outcome}\n`);
      return next();
    };
    // Two at a time: half of it is waiting for the registry.
    await Promise.all([next(), next()]);
  } finally {
    await broker.stop();
    await postgres.stop();
  }
  return failed === 0 ? 0 : 1;
}

/** The path of the package. */
function pack(): string {
  const printed = execFileSync('npm', ['run', '--silent', 'pack'], { cwd: root, encoding: 'utf8' });
  return printed.trim().split('\n').at(-1) ?? '';
}

void new Command('npm run test:adopt --')
  .description('Installs the packed package into foreign projects and goes the way of a user there.')
  .argument('[fixture...]', 'which projects; all of test/adopt/fixtures without any')
  .option('--prisma <version>', 'with this version of Prisma in place of the one that they name')
  .action(async (names: string[], options: Options) => process.exit(await main(names, options)))
  .parseAsync();
