/**
 * A real Kafka with access control: an open listener, whose clients may do everything, a listener that asks for a
 * password, whose accounts may do what ACLs allow, and a policy that refuses to create some topics.
 */
import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Logger } from 'pino';
import { findFreePort } from '../postgres/ports';
import { fetchLibraries } from './libraries';
import { findProjectRoot } from './projectRoot';
import { startRealKafka } from './startRealKafka';

const run = promisify(execFile);

export interface GuardedKafkaOptions {
  readonly dataDir: string;
  readonly logger: Logger;
  /** Passwords by account. */
  readonly accounts: Readonly<Record<string, string>>;
  /** Names of topics that the policy refuses to create, as a regular expression of Java's. */
  readonly refusedTopics: string;
  readonly onProcess?: (pid: number) => Promise<unknown>;
}

export interface GuardedKafka {
  /** `host:port` of the open listener. */
  readonly open: string;
  /** `host:port` of the listener that asks for a password, by SASL PLAIN. */
  readonly guarded: string;
  kill(): Promise<void>;
}

/** Resolves when the broker serves clients. Needs a JDK: the policy is compiled. */
export async function startGuardedKafka(options: GuardedKafkaOptions): Promise<GuardedKafka> {
  const { dataDir, logger, accounts, refusedTopics, onProcess } = options;
  const [open, guarded, controller] = [await findFreePort(), await findFreePort(), await findFreePort()];
  const listeners = `CLIENT://127.0.0.1:${open},GUARDED://127.0.0.1:${guarded}`;
  const passwords = Object.entries(accounts).map(([name, password]) => ` user_${name}="${password}"`);
  const kafka = await startRealKafka({
    dataDir,
    port: open,
    logger,
    classes: await compilePolicy(join(dataDir, 'classes'), logger),
    ...(onProcess ? { onProcess } : {}),
    properties: {
      listeners: `${listeners},CONTROLLER://127.0.0.1:${controller}`,
      'advertised.listeners': listeners,
      'controller.quorum.bootstrap.servers': `127.0.0.1:${controller}`,
      'listener.security.protocol.map': 'CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT,GUARDED:SASL_PLAINTEXT',
      'listener.name.guarded.sasl.enabled.mechanisms': 'PLAIN',
      'listener.name.guarded.plain.sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required${passwords.join('')};`,
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'super.users': 'User:ANONYMOUS',
      'create.topic.policy.class.name': 'RefusedTopics',
      'signalbox.refused.topics': refusedTopics,
    },
  });
  return { open: `127.0.0.1:${open}`, guarded: `127.0.0.1:${guarded}`, kill: () => kafka.kill() };
}

async function compilePolicy(directory: string, logger: Logger): Promise<string> {
  const root = findProjectRoot(__dirname);
  const libraries = await fetchLibraries(root, logger);
  await mkdir(directory, { recursive: true });
  const source = join(root, 'dev', 'kafka', 'policy', 'RefusedTopics.java');
  await run('javac', ['-cp', join(libraries, '*'), '-d', directory, source]);
  return directory;
}
