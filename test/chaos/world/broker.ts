/** The broker of a run, behind a proxy's port: the dev broker or Apache Kafka, each in a process of its own. */
import { join } from 'node:path';
import { startRealKafka } from '../../../dev/kafka/startRealKafka';
import { waitForBroker } from '../../../dev/kafka/waitForBroker';
import { registerProcess } from '../../../dev/kafka/watchman';
import { silentLogger } from '../../support/logger';
import { type Program, startProgram } from './program';

export type BrokerKind = 'dev' | 'real';

export interface Broker {
  /** SIGKILL. */
  kill(): Promise<void>;
  /** On the same data; resolves when it serves. */
  restart(): Promise<void>;
}

interface BrokerOptions {
  readonly kind: BrokerKind;
  readonly port: number;
  /** What clients are told to connect to. */
  readonly advertisedPort: number;
  readonly directory: string;
}

export async function startBroker(options: BrokerOptions): Promise<Broker> {
  return options.kind === 'real' ? startReal(options) : startDev(options);
}

async function startReal({ port, advertisedPort, directory }: BrokerOptions): Promise<Broker> {
  const kafka = await startRealKafka({
    dataDir: join(directory, 'kafka'),
    port,
    logger: silentLogger(),
    properties: { 'advertised.listeners': `CLIENT://127.0.0.1:${advertisedPort}` },
    onProcess: (pid) => registerProcess(directory, pid),
  });
  return { kill: () => kafka.kill(), restart: () => kafka.restart() };
}

async function startDev({ port, advertisedPort, directory }: BrokerOptions): Promise<Broker> {
  const launch = async (): Promise<Program> => {
    const program = await startProgram({
      name: 'broker',
      program: 'dev/broker/main',
      args: `--port ${port} --advertised-port ${advertisedPort} --data-dir broker`.split(' '),
      env: {},
      directory,
    });
    let hasEnded = false;
    void program.exited.then(() => (hasEnded = true));
    await waitForBroker(`127.0.0.1:${port}`, () => hasEnded);
    return program;
  };
  let running = await launch();
  return {
    kill: async () => {
      running.signal('SIGKILL');
      await running.exited;
    },
    restart: async () => {
      running = await launch();
    },
  };
}
