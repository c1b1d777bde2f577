/**
 * A real Apache Kafka broker (KRaft, one node) from jars, for tests against the real thing: `npm run test:kafka`, and
 * outages that only a broker in a process of its own can have.
 *
 * `<dataDir>/server.properties` and `<dataDir>/log` are made at the first start, `<dataDir>/kafka.log` is the broker's
 * log. States: running ⇄ stopped; `stop` and `kill` end it, `restart` starts it on the same port with the same data.
 * Kafka does not write to disk before it answers: what it acknowledged survives a killed broker, not a power cut.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Logger } from 'pino';
import { findFreePort, isPortFree } from '../postgres/ports';
import { findJava, firstLine } from './java';
import { fetchLibraries } from './libraries';
import { findProjectRoot } from './projectRoot';
import { readControllerPort, renderServerProperties } from './serverProperties';
import { waitForBroker } from './waitForBroker';

const run = promisify(execFile);

export interface RealKafkaOptions {
  readonly dataDir: string;
  /** On 127.0.0.1; 0 picks a free one. */
  readonly port: number;
  readonly logger: Logger;
  /** A directory with the broker's jars; by default Maven fetches them. */
  readonly libraries?: string;
  /** Broker settings by name, e.g. for SASL or TLS; they win over the defaults. */
  readonly properties?: Readonly<Record<string, string>>;
  /** Called with the pid of every process, as soon as there is one: to have it ended if this program is killed. */
  readonly onProcess?: (pid: number) => Promise<unknown>;
}

export interface RealKafka {
  /** `host:port` */
  readonly address: string;
  /** Of the process that runs now, or ran last. */
  readonly pid: number;
  /** SIGTERM and its orderly end. May be called again. */
  stop(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** Stops it if it runs, and starts it again. */
  restart(): Promise<void>;
}

/** Small and quick to start: one collector thread, and no optimisation that takes long to pay off. */
const jvmFlags = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto', '-Xms128m', '-Xmx512m'];

/** Resolves when the broker serves clients. */
export async function startRealKafka(options: RealKafkaOptions): Promise<RealKafka> {
  const java = await findJava(process.env);
  if ('missing' in java) throw new Error(`Kafka needs Java 17 or newer, but ${java.missing}.`);
  const libraries = options.libraries ?? (await fetchLibraries(findProjectRoot(__dirname), options.logger));
  const port = options.port === 0 ? await findFreePort() : options.port;
  const dataDir = resolve(options.dataDir);
  const broker: Broker = { ...options, java: java.found, classPath: join(libraries, '*'), dataDir, port };
  await format(broker);
  let child = await launch(broker);
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  };
  return {
    address: `127.0.0.1:${port}`,
    get pid() {
      return child.pid ?? 0;
    },
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    restart: async () => {
      await end('SIGTERM');
      child = await launch(broker);
    },
  };
}

interface Broker extends RealKafkaOptions {
  readonly java: string;
  readonly classPath: string;
}

/** Writes the configuration and, the first time, prepares the directory as `kafka-storage.sh format` does. */
async function format(broker: Broker): Promise<void> {
  const { dataDir, java, classPath, properties: overrides = {} } = broker;
  const file = join(dataDir, 'server.properties');
  const logDirectory = join(dataDir, 'log');
  await mkdir(dataDir, { recursive: true });
  const before = await readIfThere(file);
  const controllerPort =
    (before === undefined ? undefined : readControllerPort(before)) ?? (await findFreePort());
  await writeFile(
    file,
    renderServerProperties({ brokerPort: broker.port, controllerPort, logDirectory, overrides }),
  );
  const tool = ['-cp', classPath, 'kafka.tools.StorageTool', 'format', '--standalone', '--ignore-formatted'];
  try {
    await run(java, [...jvmFlags, ...tool, '--cluster-id', clusterId, '--config', file]);
  } catch (error) {
    throw new Error(`Kafka refuses ${file}: ${complaintOf(error)}`, { cause: error });
  }
}

/** A Java program ends with an exception: its first line says what is wrong. */
function complaintOf(error: unknown): string {
  const { stderr = '' } = error as { stderr?: string };
  const exception = stderr.split('\n').find((line) => /Exception|error/i.test(line));
  return exception?.trim() ?? firstLine(error);
}

/** Any 16 bytes in base64; one that stays makes formatting a second time a harmless repetition. */
const clusterId = Buffer.from('signalbox-devel-').toString('base64url');

async function launch(broker: Broker): Promise<ChildProcess> {
  const { java, classPath, dataDir, port, logger } = broker;
  if (!(await isPortFree(port))) {
    throw new Error(`Port ${port} on 127.0.0.1 is taken by another program, so Kafka can't listen there.`);
  }
  const startedAt = Date.now();
  const logFile = join(dataDir, 'kafka.log');
  const log = await open(logFile, 'a');
  const flags = [...jvmFlags, '-Dlog4j2.level=WARN', '-cp', classPath];
  const child = spawn(java, [...flags, 'kafka.Kafka', join(dataDir, 'server.properties')], {
    stdio: ['ignore', log.fd, log.fd],
    detached: true,
  });
  await log.close();
  try {
    if (child.pid !== undefined) await broker.onProcess?.(child.pid);
    await waitForBroker(`127.0.0.1:${port}`, () => child.exitCode !== null || child.signalCode !== null);
  } catch (error) {
    child.kill('SIGKILL');
    throw new Error(`Kafka did not start; its log is ${logFile}.`, { cause: error });
  }
  logger.info({ port, pid: child.pid, tookMs: Date.now() - startedAt }, 'Kafka is up');
  return child;
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
