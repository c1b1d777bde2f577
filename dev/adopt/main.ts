/**
 * `npm run test:adopt [fixture…]`: packs the package, installs it into foreign projects that lie where nothing of this
 * repository can be reached, and goes the way of a user there: init, type check, migrate, a program that writes, relay,
 * console, consumer. Needs the package registry. Ends with 1 when something was not as expected.
 */
import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startDevBroker } from '../broker/broker';
import { findProjectRoot } from '../kafka/projectRoot';
import { startPostgres } from '../postgres/startPostgres';
import { createLogger } from '../../src/shared/logger';
import { adopt } from './adopt';

const root = findProjectRoot(__dirname);
const fixtures = path.join(root, 'test', 'adopt', 'fixtures');

async function main(wanted: readonly string[]): Promise<number> {
  const known = await readdir(fixtures);
  const unknown = wanted.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    process.stderr.write(`There is no fixture "${unknown}". There are: ${known.join(', ')}.\n`);
    return 1;
  }
  const tarball =
    execFileSync('npm', ['run', '--silent', 'pack'], { cwd: root, encoding: 'utf8' })
      .trim()
      .split('\n')
      .at(-1) ?? '';
  const directory = await mkdtemp(path.join(tmpdir(), 'signalbox-adopt-'));
  const logger = createLogger({ name: 'adopt', level: 'error' });
  const postgres = await startPostgres({ dataDir: path.join(directory, 'postgres'), port: 0, logger });
  const broker = await startDevBroker({
    host: '127.0.0.1',
    port: 0,
    dataDir: path.join(directory, 'kafka'),
    logger,
  });
  let failed = 0;
  try {
    for (const name of wanted.length > 0 ? wanted : known) {
      const started = performance.now();
      const outcome = await adopt({
        fixture: path.join(fixtures, name),
        shared: path.join(root, 'test', 'adopt', 'shared'),
        directory: path.join(directory, name),
        tarball,
        serverUrl: postgres.url,
        brokers: `${broker.host}:${broker.port}`,
      }).then(
        (text) => text,
        (error: unknown) => {
          failed += 1;
          return `FAILED: ${error instanceof Error ? error.message : String(error)}`;
        },
      );
      process.stdout.write(
        `${name.padEnd(20)} ${((performance.now() - started) / 1000).toFixed(0).padStart(4)} s  ${outcome}\n`,
      );
    }
  } finally {
    await broker.stop();
    await postgres.stop();
    await rm(directory, { recursive: true, force: true });
  }
  return failed === 0 ? 0 : 1;
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(1);
  },
);
