/** The Postgres and the Kafka that a benchmark run brings along, each in processes of its own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { postWatchman, registerProcess } from '../../dev/kafka/watchman';
import { startRealKafka } from '../../dev/kafka/startRealKafka';
import { findFreePort } from '../../dev/postgres/ports';
import { startPostgres } from '../../dev/postgres/startPostgres';
import { createLogger } from '../../src/shared/logger';
import { startProgram } from './programs';

export interface Servers {
  /** Where everything of this run lies. */
  readonly directory: string;
  readonly postgresUrl: string;
  /** `host:port` */
  readonly broker: string;
  readonly brokerPid: number;
  stop(): Promise<void>;
}

export const logger = createLogger({ level: 'error', name: 'bench' });

/** fsync off on all sides: the disk of the machine is not what is compared. */
const settings = {
  fsync: 'off',
  full_page_writes: 'off',
  shared_buffers: '512MB',
  max_wal_size: '4GB',
  max_connections: '60',
};

/** Nothing is left behind, also when this process is killed. */
export async function startServers(kafka: 'dev' | 'real'): Promise<Servers> {
  const directory = await mkdtemp(join(tmpdir(), 'signalbox-bench-'));
  const undo: (() => Promise<unknown>)[] = [
    () => rm(directory, { recursive: true, force: true, maxRetries: 5 }),
  ];
  const stop = async (): Promise<void> => {
    for (let step = undo.pop(); step !== undefined; step = undo.pop()) await step();
  };
  try {
    undo.push(await postWatchman(directory));
    const postgres = await startPostgres({ dataDir: join(directory, 'postgres'), port: 0, logger, settings });
    undo.push(() => postgres.stop());
    await registerProcess(directory, postgres.pid);
    const broker = kafka === 'real' ? await startReal(directory) : await startDev(directory);
    undo.push(() => broker.stop());
    return { directory, postgresUrl: postgres.url, broker: broker.address, brokerPid: broker.pid, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Broker {
  readonly address: string;
  readonly pid: number;
  stop(): Promise<void>;
}

async function startReal(directory: string): Promise<Broker> {
  const onProcess = (pid: number): Promise<unknown> => registerProcess(directory, pid);
  return startRealKafka({ dataDir: join(directory, 'kafka'), port: 0, logger, onProcess });
}

async function startDev(directory: string): Promise<Broker> {
  const port = await findFreePort();
  const program = await startProgram(directory, 'dev/broker/main', {}, [
    '--port',
    String(port),
    '--data-dir',
    join(directory, 'broker'),
  ]);
  await program.line(/the dev broker is listening/);
  return { address: `127.0.0.1:${port}`, pid: program.pid, stop: () => program.stop() };
}
