/**
 * A broker that asks for a password: a real Kafka with a SASL listener of the test's own. It runs in the suite that is
 * for real Kafka (`npm run test:kafka`) only; the dev broker has no access control, and says so here.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { registerProcess } from '../../../dev/kafka/watchman';
import { startRealKafka } from '../../../dev/kafka/startRealKafka';
import { findFreePort } from '../../../dev/postgres/ports';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { fromSetup, variables } from '../../support/environment';
import { kafkaBrokers } from '../../support/kafka';
import { silentLogger } from '../../support/logger';
import { killPrograms, type RunningProgram, spawnSignalbox } from '../../support/process';

const onRealKafka = process.env['SIGNALBOX_BROKER'] === 'kafka';
let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterEach(killPrograms);

afterAll(() => database.drop());

async function startConsumers(brokers: string, password: string): Promise<RunningProgram> {
  return spawnSignalbox('consumers', {
    env: {
      DATABASE_URL: database.url,
      KAFKA_BOOTSTRAP_SERVERS: brokers,
      KAFKA_SASL_MECHANISM: 'plain',
      KAFKA_SASL_USERNAME: 'consumers',
      KAFKA_SASL_PASSWORD: password,
      CONSUMERS_PORT: String(await findFreePort()),
      HOST: '127.0.0.1',
    },
  });
}

/** The listener that asks for a password, beside the open one by which the broker's start is watched. */
async function withSasl(use: (brokers: string) => Promise<void>): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'signalbox-sasl-'));
  const [open, guarded, controller] = [await findFreePort(), await findFreePort(), await findFreePort()];
  const listeners = `CLIENT://127.0.0.1:${open},GUARDED://127.0.0.1:${guarded}`;
  const login = 'org.apache.kafka.common.security.plain.PlainLoginModule required user_consumers="right";';
  const kafka = await startRealKafka({
    dataDir,
    port: open,
    logger: silentLogger(),
    onProcess: (pid) => registerProcess(fromSetup(variables.directory), pid),
    properties: {
      listeners: `${listeners},CONTROLLER://127.0.0.1:${controller}`,
      'advertised.listeners': listeners,
      'controller.quorum.bootstrap.servers': `127.0.0.1:${controller}`,
      'listener.security.protocol.map': 'CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT,GUARDED:SASL_PLAINTEXT',
      'listener.name.guarded.sasl.enabled.mechanisms': 'PLAIN',
      'listener.name.guarded.plain.sasl.jaas.config': login,
    },
  });
  try {
    await use(`127.0.0.1:${guarded}`);
  } finally {
    await killPrograms();
    await kafka.kill();
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
  }
}

if (onRealKafka) {
  test('the right password lets consumers in; a wrong one ends them with one line that says what to correct', async () => {
    await withSasl(async (brokers) => {
      const refused = await startConsumers(brokers, 'wrong');
      expect(await refused.exited).toEqual({ code: 1, signal: null });
      expect(refused.output()).toMatch(
        /Kafka cannot be used by .*it refuses the account \\?"consumers\\?": .*Correct the KAFKA_SASL_\* variables/,
      );
      expect(refused.output()).not.toContain('wrong');
      expect(refused.output()).not.toMatch(/^ +at /m);
      const welcome = await startConsumers(brokers, 'right');
      await welcome.waitForLine('joined the group');
      expect(await welcome.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    });
  }, 180_000);
} else {
  test('a broker without passwords that is given one ends the consumers with one line', async () => {
    const program = await startConsumers(kafkaBrokers().join(','), 'unwanted');
    expect(await program.exited).toEqual({ code: 1, signal: null });
    expect(program.output()).not.toContain('unwanted');
  });
}
