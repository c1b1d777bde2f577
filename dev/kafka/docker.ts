/** Kafka in a container, for those who have Docker and neither Java nor a Kafka of their own. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { findFreePort } from '../postgres/ports';
import { firstLine, type Finding } from './java';
import { singleNode } from './serverProperties';
import { waitForBroker } from './waitForBroker';

const run = promisify(execFile);
/** The same version as in pom.xml. */
export const image = 'apache/kafka:4.3.1';

export interface ContainerKafka {
  readonly address: string;
  stop(): Promise<void>;
}

/** Whether a Docker daemon answers. */
export async function findDocker(): Promise<Finding<string>> {
  try {
    const { stdout } = await run('docker', ['info', '--format', '{{.ServerVersion}}'], { timeout: 20_000 });
    return { found: stdout.trim() };
  } catch (error) {
    return { missing: `"docker info" failed (${lastLine(error)})` };
  }
}

/** Resolves when the broker serves clients on a free port of 127.0.0.1. The container removes itself when it ends. */
export async function startContainer(): Promise<ContainerKafka> {
  const port = await findFreePort();
  const name = `signalbox-kafka-${randomBytes(4).toString('hex')}`;
  const flags = ['--detach', '--rm', '--name', name, '--publish', `127.0.0.1:${port}:9092`];
  const stop = async (): Promise<void> => {
    // With --rm a container that has ended is gone, which is what is wanted.
    if (await isRunning(name)) await run('docker', ['rm', '--force', name]);
  };
  try {
    await run('docker', ['run', ...flags, ...environmentFlags(port), image], { timeout: 10 * 60_000 });
    await waitForBroker(`127.0.0.1:${port}`, async () => !(await isRunning(name)));
  } catch (error) {
    await stop();
    throw new Error(`The container ${image} did not become ready: ${lastLine(error)}`, { cause: error });
  }
  return { address: `127.0.0.1:${port}`, stop };
}

/**
 * The image turns KAFKA_… variables into properties, dots written as underscores. Inside, the broker listens on 9092;
 * what it tells clients to come back to is the published port.
 */
export function environmentFlags(port: number): string[] {
  const properties: Record<string, string> = {
    ...singleNode,
    listeners: 'CLIENT://:9092,CONTROLLER://:9093',
    'advertised.listeners': `CLIENT://127.0.0.1:${port}`,
    'controller.quorum.voters': '1@localhost:9093',
  };
  return Object.entries(properties).flatMap(([name, value]) => [
    '--env',
    `KAFKA_${name.replaceAll('.', '_').toUpperCase()}=${value}`,
  ]);
}

async function isRunning(name: string): Promise<boolean> {
  const { stdout } = await run('docker', ['ps', '--quiet', '--filter', `name=^${name}$`]);
  return stdout.trim() !== '';
}

function lastLine(error: unknown): string {
  const { stderr } = error as { stderr?: string };
  return stderr?.trim().split('\n').at(-1) || firstLine(error);
}
