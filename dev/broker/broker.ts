/**
 * A Kafka-protocol broker for development and tests: one node, plain TCP, everybody may do everything. See README.md
 * for what it can do, what it keeps on disk and where it differs from Apache Kafka.
 *
 * States: starting (directory locked, store read, then the port opened) → running → stopped. What was acknowledged is
 * in files before the answer goes out, so it doesn't matter whether it is stopped or killed.
 */
import type { Socket } from 'node:net';
import { resolve } from 'node:path';
import type { Logger } from 'pino';
import type { Refusals } from './apis/api';
import { BrokerStartError } from './errors';
import { Coordinator } from './groups/coordinator';
import { serveConnection } from './server/connection';
import { dispatch } from './server/dispatch';
import { listen, type RunningServer } from './server/server';
import { lockDataDir } from './storage/dataDirLock';
import { openStore, type Store } from './storage/store';

export interface DevBrokerOptions {
  /** Where to listen, and what clients are told to connect to; 127.0.0.1 if not given. */
  readonly host?: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** The port that clients are told to connect to, where that is a proxy's; `port` if not given. */
  readonly advertisedPort?: number;
  /** Created if missing, kept when the broker stops. */
  readonly dataDir: string;
  readonly logger: Logger;
  /** Asked at every request, for tests; by default everything is allowed. */
  readonly refusals?: Refusals;
  /** Of topics that are created without a number of partitions; 1 if not given. */
  readonly defaultPartitions?: number;
}

export interface DevBroker {
  readonly host: string;
  readonly port: number;
  /** `host:port`, for clients. */
  readonly address: string;
  /** Closes the port, the connections and the files. May be called again. */
  stop(): Promise<void>;
}

/** The largest request, in bytes: Apache Kafka's `socket.request.max.bytes`. */
const maxFrameBytes = 104_857_600;

/**
 * Starts a broker on what the data directory holds.
 * @throws BrokerStartError in production, when the port is taken, or when another broker uses the directory.
 */
export async function startDevBroker(options: DevBrokerOptions): Promise<DevBroker> {
  refuseProduction();
  const dataDir = resolve(options.dataDir);
  const unlock = await lockDataDir(dataDir);
  let store: Store | undefined;
  try {
    store = openStore(dataDir, options.logger);
    return await serve(options, store, unlock);
  } catch (error) {
    store?.close();
    unlock();
    throw error;
  }
}

function refuseProduction(): void {
  if (process.env['NODE_ENV'] !== 'production') return;
  throw new BrokerStartError(
    'The dev broker does not run with NODE_ENV=production: it has one node, no replicas and no access control. Set KAFKA_BOOTSTRAP_SERVERS to a Kafka cluster.',
  );
}

async function serve(options: DevBrokerOptions, store: Store, unlock: () => void): Promise<DevBroker> {
  const { host = '127.0.0.1', port, logger, defaultPartitions = 1, refusals = () => undefined } = options;
  const coordinator = new Coordinator(store.offsets);
  // Clients can't connect to "every address".
  const address = { host: ['0.0.0.0', '::'].includes(host) ? 'localhost' : host, port };
  const context = { store, coordinator, address, defaultPartitions, refusals, logger };
  const onConnection = (socket: Socket): void => {
    const clientHost = `/${socket.remoteAddress}`;
    const answer = (frame: Buffer, gone: AbortSignal): Promise<Buffer[] | undefined> =>
      dispatch(frame, context, { host: clientHost, gone });
    serveConnection({ socket, logger, maxFrameBytes, answer });
  };
  const server = await listen(host, port, onConnection, (error) => {
    logger.error({ err: error }, 'failed to accept a connection');
  });
  address.port = options.advertisedPort ?? server.port;
  let stopped: Promise<void> | undefined;
  return {
    host,
    port: server.port,
    address: `${address.host}:${address.port}`,
    stop: () => (stopped ??= stop(server, coordinator, store, unlock)),
  };
}

async function stop(
  server: RunningServer,
  coordinator: Coordinator,
  store: Store,
  unlock: () => void,
): Promise<void> {
  await server.close();
  coordinator.stop();
  store.close();
  unlock();
}
