/**
 * A real Apache Kafka broker from jars, for tests against the real thing: `npm run test:kafka`, and outages that only a
 * broker in a process of its own can have.
 */
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { findFreePort } from '../postgres/ports';
import { type NodeSurroundings, type RealKafka, startNode } from './kafkaNode';
import { readControllerPort, renderServerProperties, standalone } from './serverProperties';
import { waitForBroker } from './waitForBroker';

export interface RealKafkaOptions extends NodeSurroundings {
  readonly dataDir: string;
  /** On 127.0.0.1; 0 picks a free one. */
  readonly port: number;
  /** Broker settings by name, e.g. for SASL or TLS; they win over the defaults. */
  readonly properties?: Readonly<Record<string, string>>;
}

/** Resolves when the broker serves clients. */
export async function startRealKafka(options: RealKafkaOptions): Promise<RealKafka> {
  const port = options.port === 0 ? await findFreePort() : options.port;
  const dataDir = resolve(options.dataDir);
  const before = await readIfThere(join(dataDir, 'server.properties'));
  const controllerPort =
    (before === undefined ? undefined : readControllerPort(before)) ?? (await findFreePort());
  return startNode({
    ...options,
    port,
    dataDir,
    heapMb: 512,
    formatFlags: ['--standalone'],
    properties: renderServerProperties({
      brokerPort: port,
      controllerPort,
      logDirectory: join(dataDir, 'log'),
      settings: { ...standalone(controllerPort), ...options.properties },
    }),
    isUp: (hasDied) => waitForBroker(`127.0.0.1:${port}`, hasDied),
  });
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
