/** POST /api/v1/patients while Kafka is up, and while its broker has been killed; the relay runs all the time. */
import path from 'node:path';
import { Client } from 'pg';
import { findFreePort, isPortFree } from '../../dev/postgres/ports';
import { readBacklog } from '../../src/outbox/log/backlog';
import { sleep } from '../../src/shared/sleep';
import { atRate, type Load } from './load';
import { answersReady, type Program, startProgram } from './program';

export interface OutageRound {
  readonly directory: string;
  readonly databaseUrl: string;
  readonly rounds: number;
  readonly durationMs: number;
}

export interface OutageLoads {
  readonly up: Load[];
  readonly down: Load[];
}

/** Steady, and low enough that nothing queues: what is measured is the request, not the machine's limit. */
const requestsPerSecond = 50;
/** The relay has noticed by then. */
const settleMs = 1_500;

/** The loads of each round. */
export async function measureOutage(round: OutageRound): Promise<OutageLoads> {
  const { directory, databaseUrl, rounds, durationMs } = round;
  const programs: Program[] = [];
  const sql = new Client({ connectionString: databaseUrl });
  await sql.connect();
  try {
    const brokerPort = await findFreePort();
    let broker = await startBroker(directory, brokerPort);
    programs.push({ kill: (signal) => broker.kill(signal) });
    const ports = { api: await findFreePort(), relay: await findFreePort() };
    const env = environment(databaseUrl, brokerPort, ports);
    programs.push(
      await startProgram(directory, 'relay', { env }, () => answersReady(ports.relay)),
      await startProgram(directory, 'src/api/main', { env }, () => answersReady(ports.api)),
    );
    await atRate(ports.api, requestsPerSecond, durationMs / 2);
    const loads: OutageLoads = { up: [], down: [] };
    for (let count = 0; count < rounds; count += 1) {
      await untilPublished(sql);
      loads.up.push(await atRate(ports.api, requestsPerSecond, durationMs));
      await broker.kill('SIGKILL');
      await sleep(settleMs);
      loads.down.push(await atRate(ports.api, requestsPerSecond, durationMs));
      broker = await startBroker(directory, brokerPort);
    }
    await untilPublished(sql);
    return loads;
  } finally {
    for (const program of programs.reverse()) await program.kill('SIGTERM');
    await sql.end();
  }
}

function environment(databaseUrl: string, brokerPort: number, ports: { api: number; relay: number }) {
  return {
    DATABASE_URL: databaseUrl,
    KAFKA_BOOTSTRAP_SERVERS: `127.0.0.1:${brokerPort}`,
    HOST: '127.0.0.1',
    PORT: String(ports.api),
    RELAY_PORT: String(ports.relay),
    RELAY_RETRY_MAX_MS: '1000',
  };
}

function startBroker(directory: string, port: number): Promise<Program> {
  const args = ['--port', String(port), '--data-dir', path.join(directory, 'broker')];
  return startProgram(directory, 'dev/broker/main', { env: {}, args }, async () => {
    return !(await isPortFree(port));
  });
}

/** Every event of the outage is published: the next round begins as the first did, and none was lost. */
async function untilPublished(sql: Client): Promise<void> {
  const started = performance.now();
  while ((await readBacklog(sql)).rows > 0) {
    if (performance.now() - started > 120_000) throw new Error('The relay does not publish the backlog.');
    await sleep(100);
  }
}
