/** All that runs: a database and a broker behind proxies, and the programs that use them. */
import { join } from 'node:path';
import { findFreePort } from '../../../dev/postgres/ports';
import { startTcpProxy, type TcpProxy } from '../../support/tcpProxy';
import { type Random } from '../random';
import { type Broker, type BrokerKind, startBroker } from './broker';
import { type Database, startDatabase } from './database';
import type { ProgramOptions } from './program';
import { Unit } from './unit';

/** A cable that can be pulled: each kind of program has one to the database, all share the one to the broker. */
export interface Link {
  readonly name: string;
  readonly proxy: TcpProxy;
  isBusy: boolean;
}

export interface World {
  readonly database: Database;
  readonly broker: Broker;
  readonly brokers: string;
  readonly relays: readonly Unit[];
  readonly consumers: readonly Unit[];
  readonly writers: readonly Unit[];
  readonly links: readonly Link[];
  /** Where writers note what they know. */
  readonly journals: readonly string[];
  /** Ends what is left, in any state. */
  close(): Promise<void>;
}

export const topicPrefix = 'chaos';
/** Short, so that a pause can outlast it. */
export const leaseMs = 2_000;

export interface WorldOptions {
  readonly directory: string;
  readonly kind: BrokerKind;
  readonly random: Random;
}

/** Starts the servers and everything that uses them. */
export async function createWorld({ directory, kind, random }: WorldOptions): Promise<World> {
  const database = await startDatabase(directory);
  const databaseLink = (name: string): Promise<Link> => link(`${name} and the database`, database.port);
  const cables = {
    relay: await databaseLink('relays'),
    consumer: await databaseLink('consumers'),
    writer: await databaseLink('writers'),
  };
  const brokerPort = await findFreePort();
  const brokerLink = await link('everybody and the broker', brokerPort);
  const advertisedPort = brokerLink.proxy.port;
  const broker = await startBroker({ kind, port: brokerPort, advertisedPort, directory });
  const brokers = brokerLink.proxy.address;
  const kafka = { KAFKA_BOOTSTRAP_SERVERS: brokers, KAFKA_TOPIC_PREFIX: topicPrefix, HOST: '127.0.0.1' };
  const urlThrough = ({ proxy }: Link): { DATABASE_URL: string } => {
    const url = new URL(database.url);
    url.port = String(proxy.port);
    return { DATABASE_URL: url.href };
  };
  const unit = (options: Omit<ProgramOptions, 'directory'>): Unit => new Unit({ ...options, directory });
  const journals = [1, 2, 3].map((number) => join(directory, `journal-${number}`));
  const writers = journals.map((journal, index) =>
    unit({
      name: `writer-${index + 1}`,
      program: 'test/chaos/writer/main',
      env: {
        ...urlThrough(cables.writer),
        CHAOS_ENGINE: index === 2 ? 'trigger' : 'middleware',
        CHAOS_JOURNAL: journal,
        CHAOS_SEED: String(random.between(0, 2 ** 30)),
        LOG_LEVEL: 'error',
      },
    }),
  );
  const consumers = [1, 2, 3].map((number) =>
    unit({
      name: `consumer-${number}`,
      program: 'test/chaos/consumer/main',
      env: { ...urlThrough(cables.consumer), ...kafka, CHAOS_MEMBER: `consumer-${number}` },
    }),
  );
  const relays = await Promise.all(
    [1, 2, 3].map(async (number) =>
      unit({
        name: `relay-${number}`,
        program: 'src/cli/main',
        args: ['--config', join(__dirname, '../../../signalbox.config.js'), 'relay'],
        env: { ...urlThrough(cables.relay), ...kafka, ...relayEnv, RELAY_PORT: String(await findFreePort()) },
      }),
    ),
  );
  const links = [...Object.values(cables), brokerLink];
  const units = [...writers, ...consumers, ...relays];
  return {
    database,
    broker,
    brokers,
    relays,
    consumers,
    writers,
    links,
    journals,
    close: async () => {
      await Promise.all(units.map((it) => it.kill()));
      await Promise.all(links.map(({ proxy }) => proxy.close()));
      await broker.kill();
      await database.stop();
    },
  };
}

/** Small pages, so that kills meet unfinished batches; instances without a name, so that leases have to end. */
const relayEnv = {
  RELAY_LEASE_MS: String(leaseMs),
  RELAY_POLL_INTERVAL_MS: '50',
  RELAY_PAGE_SIZE: '50',
  RELAY_RETRY_MAX_MS: '500',
};

async function link(name: string, port: number): Promise<Link> {
  return { name, proxy: await startTcpProxy({ port }), isBusy: false };
}
