/** Does what docs/writing-a-consumer.md says, block by block, in a copy of the project. */
import { Partitioners } from 'kafkajs';
import { findFreePort } from '../../../dev/postgres/ports';
import { topicOf } from '../../../src/kafka/topics/topicNames';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { patientCreated } from '../../support/events';
import { createTopics, deleteTopics, kafkaBrokers, testKafka, uniqueName } from '../../support/kafka';
import { type RunningProgram, spawnProcess } from '../../support/process';
import { connect, type TestConnection } from '../trigger/support';
import { waitFor } from '../../support/waitFor';
import { type Block, Project, readBlocks, signalbox } from './project';

jest.setTimeout(240_000);

describe('the guide to writing a consumer', () => {
  let project: Project;
  let blocks: Block[];
  let database: TestDatabase;
  let db: TestConnection;
  const prefix = uniqueName('guide').replaceAll('.', '-');
  const topics = ['patient.created', 'email.send', 'dead_letter_queue'].map((name) => topicOf(prefix, name));

  beforeAll(async () => {
    [project, blocks, database] = await Promise.all([
      Project.copy(),
      readBlocks('docs/writing-a-consumer.md'),
      createTestDatabase(),
    ]);
    for (const block of blocks) await project.apply(block);
    expect(await project.node(['prisma/generate.js'])).toMatchObject({ code: 0 });
    expect(await project.compile()).toEqual({ code: 0, output: '' });
    db = await connect(database.url);
    await createTopics(...topics.map((topic) => ({ topic })));
  });
  afterAll(async () => {
    await db.client.end();
    await deleteTopics(...topics);
    await database.assertNoLeaks();
    await database.drop();
    await project.remove();
  });

  const body = (info: string): string => blocks.find((block) => block.info === info)?.body ?? '';

  it('ends in a consumer of fewer than 30 lines', () => {
    expect(body('file=src/healthcore/consumers/welcome.ts').trimEnd().split('\n').length).toBeLessThan(30);
  });

  it('gives a unit test that passes', async () => {
    const passed = { code: 0, output: expect.stringContaining('2 passed') as string };
    expect(await project.unitTest('test/unit/consumers/welcome')).toMatchObject(passed);
  });

  async function start(...names: string[]): Promise<RunningProgram> {
    return spawnProcess({
      command: process.execPath,
      args: [...signalbox, 'consumers', ...names],
      cwd: project.directory,
      env: {
        DATABASE_URL: database.url,
        KAFKA_BOOTSTRAP_SERVERS: kafkaBrokers().join(','),
        KAFKA_TOPIC_PREFIX: prefix,
        CONSUMER_GROUP_PREFIX: prefix,
        KAFKA_CREATE_TOPICS: 'false',
        CONSUMERS_PORT: String(await findFreePort()),
        HOST: '127.0.0.1',
      },
    });
  }

  it('gives a consumer that help lists', async () => {
    const help = await start('--help');
    expect(await help.exited).toEqual({ code: 0, signal: null });
    expect(help.output()).toMatch(/^ {2}welcome +greets new patients by e-mail$/m);
  });

  it('gives a consumer that greets a patient once, and prints what the guide shows', async () => {
    const producer = testKafka().producer({ createPartitioner: Partitioners.DefaultPartitioner });
    const [welcome, mailer] = await Promise.all([start('welcome'), start('email-sender')]);
    const [first = '', second = ''] = body('log').split('\n');
    const created = patientCreated();
    created.data.email = 'ada@example.com';
    await producer.connect();
    const message = { key: created.metadata.aggregate_id, value: JSON.stringify(created) };
    await producer.send({ topic: topicOf(prefix, 'patient.created'), messages: [message, message] });
    await welcome.waitForLine(first);
    const [asked, ...more] = await waitFor(
      async () => {
        const events = await db.events();
        return events.length > 0 && events;
      },
      { what: 'the e-mail in the outbox' },
    );
    expect(more).toEqual([]);
    expect(asked).toMatchObject({
      event_type: 'email.send',
      aggregate_id: created.data.patient_id,
      causation_id: created.event_id,
      data: { to: 'ada@example.com', subject: 'Welcome' },
    });
    // No relay runs here: the event goes on by hand.
    const email = { ...patientCreated(), event_type: 'email.send', data: asked?.data };
    const topic = topicOf(prefix, 'email.send');
    await producer.send({ topic, messages: [{ key: 'k', value: JSON.stringify(email) }] });
    await mailer.waitForLine(second);
    await producer.disconnect();
    for (const program of [welcome, mailer]) {
      expect(await program.kill('SIGTERM')).toEqual({ code: 0, signal: null });
      expect(program.output()).not.toContain('ada@example.com');
    }
    expect(welcome.lines().filter((line) => line.includes(first))).toHaveLength(1);
  });
});
