/** Which Kafka `npm run test:kafka` runs against: the first of five ways that this machine offers. */
import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Logger } from 'pino';
import { findDocker, startContainer } from './docker';
import { findJava, firstLine, type Finding } from './java';
import { librariesOfDistribution } from './libraries';
import { startRealCluster } from './startRealCluster';
import { startRealKafka } from './startRealKafka';

const run = promisify(execFile);

export interface FoundBroker {
  /** For people: what it is and where it came from. */
  readonly description: string;
  /** As in KAFKA_BOOTSTRAP_SERVERS. */
  readonly addresses: string;
  stop(): Promise<void>;
}

interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  /** Three brokers instead of one, started here unless a cluster is given. */
  readonly cluster?: boolean;
  /** For brokers that have to be started here. */
  readonly dataDir: string;
  readonly logger: Logger;
  readonly onProcess: (pid: number) => Promise<unknown>;
}

type Way = (surroundings: Surroundings) => Promise<Finding<() => Promise<FoundBroker>>>;

const ways: readonly Way[] = [givenBrokers, docker, distribution, jars];

/** Starts what is found first; throws, with what was looked for, if nothing is. */
export async function findBroker(surroundings: Surroundings): Promise<FoundBroker> {
  const missing: string[] = [];
  for (const way of ways) {
    const result = await way(surroundings);
    if ('found' in result) return result.found();
    missing.push(result.missing);
  }
  throw new Error(
    [
      'There is no Apache Kafka to test against. Looked for, in this order:',
      ...missing.map((it) => `- ${it}`),
    ].join('\n'),
  );
}

async function givenBrokers({ env }: Surroundings): ReturnType<Way> {
  const addresses = env['KAFKA_BOOTSTRAP_SERVERS'];
  if (!addresses) return { missing: 'a cluster named by KAFKA_BOOTSTRAP_SERVERS: the variable is not set' };
  const description = `the cluster at KAFKA_BOOTSTRAP_SERVERS=${addresses}`;
  return { found: async () => ({ description, addresses, stop: async () => undefined }) };
}

async function docker({ cluster }: Surroundings): ReturnType<Way> {
  if (cluster) return { missing: 'Docker: it is not used for three brokers' };
  const result = await findDocker();
  if ('missing' in result) return { missing: `Docker: ${result.missing}` };
  return {
    found: async () => {
      const container = await startContainer();
      const description = `Apache Kafka in Docker ${result.found}`;
      return { description, addresses: container.address, stop: () => container.stop() };
    },
  };
}

async function distribution({ env, ...rest }: Surroundings): ReturnType<Way> {
  const home = env['KAFKA_HOME'];
  if (!home) return { missing: 'an unpacked Kafka named by KAFKA_HOME: the variable is not set' };
  const libraries = librariesOfDistribution(home);
  try {
    await access(libraries);
  } catch (error) {
    return { missing: `the Kafka at KAFKA_HOME=${home}: ${firstLine(error)}` };
  }
  const java = await findJava(env);
  if ('missing' in java) return { missing: `a Java for the Kafka at KAFKA_HOME=${home}: ${java.missing}` };
  return { found: () => startHere(rest, `Apache Kafka from KAFKA_HOME=${home}`, libraries) };
}

async function jars({ env, ...rest }: Surroundings): ReturnType<Way> {
  const java = await findJava(env);
  if ('missing' in java) return { missing: `Java 17 or newer with Maven: ${java.missing}` };
  try {
    await run('mvn', ['--version']);
  } catch (error) {
    return { missing: `Java 17 or newer with Maven: mvn can't be run (${firstLine(error)})` };
  }
  return {
    found: () => startHere(rest, `Apache Kafka from Maven's jars (${join('dev', 'kafka', 'pom.xml')})`),
  };
}

async function startHere(
  { cluster, ...surroundings }: Omit<Surroundings, 'env'>,
  source: string,
  libraries?: string,
): Promise<FoundBroker> {
  const options = { ...surroundings, ...(libraries === undefined ? {} : { libraries }) };
  if (cluster) {
    const started = await startRealCluster(options);
    const description = `three brokers of ${source}`;
    return { description, addresses: started.addresses, stop: () => started.stop() };
  }
  const kafka = await startRealKafka({ ...options, port: 0 });
  return { description: source, addresses: kafka.address, stop: () => kafka.stop() };
}
