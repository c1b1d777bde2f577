/**
 * One process of Apache Kafka (KRaft, broker and controller in one) from jars. States: running ⇄ stopped; `stop` and
 * `kill` end it, `restart` starts it again on the same ports with the same data.
 *
 * `<dataDir>/server.properties` and `<dataDir>/log` are made at the first start, `<dataDir>/kafka.log` is its log.
 * Kafka does not write to disk before it answers: what it acknowledged survives a killed broker, not a power cut.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import type { Logger } from 'pino';
import { isPortFree } from '../postgres/ports';
import { findJava, firstLine } from './java';
import { fetchLibraries } from './libraries';
import { findProjectRoot } from './projectRoot';

const run = promisify(execFile);

export interface NodeSurroundings {
  readonly logger: Logger;
  /** A directory with the broker's jars; by default Maven fetches them. */
  readonly libraries?: string;
  /** A directory with further classes for the broker, e.g. a policy. */
  readonly classes?: string;
  /** Further flags for the broker's Java, e.g. for a JMX port. */
  readonly jvmFlags?: readonly string[];
  /** Called with the pid of every process, as soon as there is one: to have it ended if this program is killed. */
  readonly onProcess?: (pid: number) => Promise<unknown>;
}

export interface NodeOptions extends NodeSurroundings {
  readonly dataDir: string;
  /** On 127.0.0.1. */
  readonly port: number;
  /** The text of server.properties. */
  readonly properties: string;
  /** For the controllers' metadata log: `--standalone` where this node is the only one. */
  readonly formatFlags: readonly string[];
  readonly heapMb: number;
  /** Resolves when the node serves clients; throws when `hasDied` says that it never will. */
  readonly isUp: (hasDied: () => boolean) => Promise<void>;
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

interface Java {
  readonly program: string;
  readonly flags: readonly string[];
}

/** Resolves when the node serves clients. */
export async function startNode(options: NodeOptions): Promise<RealKafka> {
  const java = await prepareJava(options);
  await format(options, java);
  let child = await launch(options, java);
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  };
  return {
    address: `127.0.0.1:${options.port}`,
    get pid() {
      return child.pid ?? 0;
    },
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    restart: async () => {
      await end('SIGTERM');
      child = await launch(options, java);
    },
  };
}

/** Small and quick to start: one collector thread, and no optimisation that takes long to pay off. */
const jvmFlags = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto', '-Xms128m'];

async function prepareJava({ libraries, classes, logger, heapMb }: NodeOptions): Promise<Java> {
  const java = await findJava(process.env);
  if ('missing' in java) throw new Error(`Kafka needs Java 17 or newer, but ${java.missing}.`);
  const jars = libraries ?? (await fetchLibraries(findProjectRoot(__dirname), logger));
  return {
    program: java.found,
    flags: [
      ...jvmFlags,
      `-Xmx${heapMb}m`,
      '-cp',
      [join(jars, '*'), ...(classes ? [classes] : [])].join(delimiter),
    ],
  };
}

/** Any 16 bytes in base64; one that stays makes formatting a second time a harmless repetition. */
const clusterId = Buffer.from('signalbox-devel-').toString('base64url');

/** Writes the configuration and, the first time, prepares the directory as `kafka-storage.sh format` does. */
async function format({ dataDir, properties, formatFlags }: NodeOptions, java: Java): Promise<void> {
  await mkdir(dataDir, { recursive: true });
  const file = join(dataDir, 'server.properties');
  await writeFile(file, properties);
  const tool = ['kafka.tools.StorageTool', 'format', '--ignore-formatted', ...formatFlags];
  try {
    await run(java.program, [...java.flags, ...tool, '--cluster-id', clusterId, '--config', file]);
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

async function launch(options: NodeOptions, java: Java): Promise<ChildProcess> {
  const { dataDir, port, logger, isUp } = options;
  if (!(await isPortFree(port))) {
    throw new Error(`Port ${port} on 127.0.0.1 is taken by another program, so Kafka can't listen there.`);
  }
  const startedAt = Date.now();
  const logFile = join(dataDir, 'kafka.log');
  const log = await open(logFile, 'a');
  const program = [
    ...(options.jvmFlags ?? []),
    '-Dlog4j2.level=WARN',
    'kafka.Kafka',
    join(dataDir, 'server.properties'),
  ];
  const child = spawn(java.program, [...java.flags, ...program], {
    stdio: ['ignore', log.fd, log.fd],
    detached: true,
  });
  await log.close();
  try {
    if (child.pid !== undefined) await options.onProcess?.(child.pid);
    await isUp(() => child.exitCode !== null || child.signalCode !== null);
  } catch (error) {
    child.kill('SIGKILL');
    throw new Error(`Kafka did not start; its log is ${logFile}.`, { cause: error });
  }
  logger.info({ port, pid: child.pid, tookMs: Date.now() - startedAt }, 'Kafka is up');
  return child;
}
