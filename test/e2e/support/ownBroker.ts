/** A broker of the test's own, to be killed: of the same kind as the one that the run is made against. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { registerProcess } from '../../../dev/kafka/watchman';
import { startRealKafka } from '../../../dev/kafka/startRealKafka';
import { findFreePort } from '../../../dev/postgres/ports';
import { fromSetup, variables } from '../../support/environment';
import { silentLogger } from '../../support/logger';
import { type RunningProgram, spawnProgram } from '../../support/process';

export interface OwnBroker {
  readonly address: string;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** On the same port, with the same data. */
  restart(): Promise<void>;
  /** Ends it and removes its data. */
  remove(): Promise<void>;
}

/** `npm run test:kafka` sets SIGNALBOX_BROKER=kafka; then this is a real Kafka too. */
export async function startOwnBroker(): Promise<OwnBroker> {
  const dataDir = await mkdtemp(join(tmpdir(), 'signalbox-own-broker-'));
  const remove = (): Promise<void> => rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
  const start = process.env['SIGNALBOX_BROKER'] === 'kafka' ? startReal : startDev;
  const broker = await start(dataDir);
  return {
    ...broker,
    remove: async () => {
      await broker.kill();
      await remove();
    },
  };
}

async function startReal(dataDir: string): Promise<Omit<OwnBroker, 'remove'>> {
  const onProcess = (pid: number): Promise<unknown> => registerProcess(fromSetup(variables.directory), pid);
  const kafka = await startRealKafka({ dataDir, port: 0, logger: silentLogger(), onProcess });
  return { address: kafka.address, kill: () => kafka.kill(), restart: () => kafka.restart() };
}

async function startDev(dataDir: string): Promise<Omit<OwnBroker, 'remove'>> {
  const port = await findFreePort();
  const launch = async (): Promise<RunningProgram> => {
    const program = await spawnProgram('dev/broker/main', {
      args: ['--port', String(port), '--data-dir', dataDir],
    });
    await program.waitForLine('the dev broker is listening');
    return program;
  };
  let running = await launch();
  return {
    address: `127.0.0.1:${port}`,
    kill: async () => void (await running.kill()),
    restart: async () => {
      running = await launch();
    },
  };
}
