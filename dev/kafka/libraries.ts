/** The broker's jars: fetched once with Maven into an ignored directory, according to pom.xml beside this file. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, readFile, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Logger } from 'pino';

const run = promisify(execFile);
const fetchWithinMs = 15 * 60_000;

/** A directory full of jars. Its name holds a digest of the pom, so that a changed pom is never served by old jars. */
export async function fetchLibraries(root: string, logger: Logger): Promise<string> {
  const pom = resolve(root, 'dev/kafka/pom.xml');
  const digest = createHash('sha256')
    .update(await readFile(pom))
    .digest('hex')
    .slice(0, 12);
  const directory = resolve(root, 'dev/kafka/target', `jars-${digest}`);
  if (await exists(directory)) return directory;
  logger.info('Fetching the jars of Apache Kafka with Maven (54 MB, only the first time)');
  const draft = `${directory}.${process.pid}`;
  try {
    const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${draft}`];
    await run('mvn', ['--batch-mode', '--quiet', '--file', pom, ...goal], { timeout: fetchWithinMs });
    await rename(draft, directory);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (await exists(directory)) return directory;
    throw new Error(`Maven could not fetch Kafka: ${complaintOf(error)}`, { cause: error });
  }
  return directory;
}

/** The jars of an unpacked Kafka distribution. */
export function librariesOfDistribution(kafkaHome: string): string {
  return join(kafkaHome, 'libs');
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/** Maven prints its errors on the standard output. */
function complaintOf(error: unknown): string {
  const { stdout, message } = error as { stdout?: string; message: string };
  const line = (stdout ?? '').split('\n').find((text) => text.includes('[ERROR]'));
  return line?.replace('[ERROR]', '').trim() ?? message;
}
