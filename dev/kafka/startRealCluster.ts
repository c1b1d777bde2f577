/**
 * Three real brokers from jars, each its own process, broker and controller in one: for what only a cluster has
 * (partitions led by different brokers, a controller that changes, replicas that fall out of step). Topics that name
 * no other number get three replicas.
 */
import { join, resolve } from 'node:path';
import { findFreePort } from '../postgres/ports';
import { type NodeSurroundings, type RealKafka, startNode } from './kafkaNode';
import { clusterOf, renderServerProperties } from './serverProperties';
import { waitForBroker } from './waitForBroker';

export interface RealClusterOptions extends NodeSurroundings {
  /** Holds one directory for each broker; a cluster is made anew each time, so it must be empty. */
  readonly dataDir: string;
  /** Broker settings by name; they win over the defaults. */
  readonly properties?: Readonly<Record<string, string>>;
}

export interface RealCluster {
  /** `host:port,host:port,host:port`, as in KAFKA_BOOTSTRAP_SERVERS. */
  readonly addresses: string;
  /** Node ids are 1, 2 and 3, in this order. */
  readonly brokers: readonly RealKafka[];
  stop(): Promise<void>;
}

const size = 3;

/** Resolves when the cluster serves clients and groups. */
export async function startRealCluster({
  dataDir,
  properties = {},
  ...surroundings
}: RealClusterOptions): Promise<RealCluster> {
  const nodes = await Promise.all(
    Array.from({ length: size }, async (_, index) => ({
      id: index + 1,
      port: await findFreePort(),
      controllerPort: await findFreePort(),
    })),
  );
  const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`).join(',');
  const voters = nodes.map(({ id, controllerPort }) => `${id}@127.0.0.1:${controllerPort}`).join(',');
  const started = await Promise.allSettled(
    nodes.map(({ id, port, controllerPort }) => {
      const directory = join(resolve(dataDir), `broker-${id}`);
      const settings = {
        ...clusterOf(size),
        'node.id': String(id),
        'controller.quorum.voters': voters,
        ...properties,
      };
      return startNode({
        ...surroundings,
        dataDir: directory,
        port,
        heapMb: 384,
        formatFlags: [],
        properties: renderServerProperties({
          brokerPort: port,
          controllerPort,
          logDirectory: join(directory, 'log'),
          settings,
        }),
        isUp: (hasDied) => waitForBroker(`127.0.0.1:${port}`, hasDied),
      });
    }),
  );
  const brokers = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const failure = started.find((result) => result.status === 'rejected');
  if (failure) {
    await Promise.all(brokers.map((broker) => broker.kill()));
    throw failure.reason;
  }
  return { addresses, brokers, stop: () => stopAll(brokers) };
}

/**
 * Controllers that are left without a majority can't end in order and wait for minutes, so the nodes are killed: the
 * data of a test's cluster is thrown away. A frozen one has to be killed anyway.
 */
async function stopAll(brokers: readonly RealKafka[]): Promise<void> {
  await Promise.all(brokers.map((broker) => broker.kill()));
}
