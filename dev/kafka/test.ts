/**
 * Behind `npm run test:kafka` and `npm run test:cluster`: the integration and end-to-end suites on a real Apache Kafka
 * of one broker, or with `--cluster` of three. Further arguments go to jest, e.g. `npm run test:kafka -- relay`. Ends
 * with jest's exit code, or 1 if there is no Kafka.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import pretty from 'pino-pretty';
import { findBroker } from './findBroker';
import { firstLine } from './java';
import { findProjectRoot } from './projectRoot';
import { waitForBroker } from './waitForBroker';
import { postWatchman, registerProcess } from './watchman';

const cluster = process.argv.includes('--cluster');
const jestArguments = process.argv.slice(2).filter((word) => word !== '--cluster');
const logger = pino(pretty({ colorize: false, ignore: 'pid,hostname,time', sync: true }));

void main();

async function main(): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'signalbox-kafka-'));
  const dismissWatchman = await postWatchman(directory);
  const interrupted = new AbortController();
  // A terminal's Ctrl-C reaches jest too, which ends; then everything here ends in order.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => interrupted.abort());
  try {
    process.exitCode = await testOn(directory, interrupted.signal);
  } catch (error) {
    logger.error(error instanceof Error ? error.message : String(error));
    if (error instanceof Error && error.cause !== undefined) logger.error(firstLine(error.cause));
    process.exitCode = 1;
  } finally {
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
    await dismissWatchman();
  }
}

async function testOn(directory: string, interrupted: AbortSignal): Promise<number> {
  const onProcess = (pid: number): Promise<unknown> => registerProcess(directory, pid);
  const dataDir = join(directory, 'kafka');
  const broker = await findBroker({ env: process.env, cluster, dataDir, logger, onProcess });
  try {
    await waitForBroker(broker.addresses, () => false);
    logger.info(`Testing on ${broker.description}, ${broker.addresses}`);
    return interrupted.aborted ? 130 : await runJest(broker.addresses, interrupted, onProcess);
  } finally {
    await broker.stop();
  }
}

/**
 * The tests of the development broker itself are left out, and on a cluster those that speak with one broker over a
 * connection of their own, for which every partition and group has to be that broker's.
 */
async function runJest(
  brokers: string,
  interrupted: AbortSignal,
  onProcess: (pid: number) => Promise<unknown>,
): Promise<number> {
  const projects = [
    '--selectProjects',
    'integration',
    'e2e',
    '--testPathIgnorePatterns',
    cluster ? '/test/integration/(broker|conformance)/' : '/test/integration/broker/',
  ];
  // Jest's list options take all words up to the next option, so the caller's own words come first.
  const jest = spawn(process.execPath, [require.resolve('jest/bin/jest'), ...jestArguments, ...projects], {
    cwd: findProjectRoot(__dirname),
    env: { ...process.env, KAFKA_BOOTSTRAP_SERVERS: brokers, SIGNALBOX_BROKER: 'kafka' },
    stdio: 'inherit',
  });
  const exited = once(jest, 'exit');
  if (jest.pid !== undefined) await onProcess(jest.pid);
  const stop = (): void => void jest.kill('SIGINT');
  interrupted.addEventListener('abort', stop);
  const [code] = (await exited) as [number | null];
  interrupted.removeEventListener('abort', stop);
  return code ?? 130;
}
