import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Message, Partitioners, type Producer } from 'kafkajs';
import { catalogue, type EventEnvelope } from '../../../src/healthcore/catalogue';
import { deadLetterTopic, topicOf } from '../../../src/kafka/topics/topicNames';
import { compile } from '../../support/compile';
import { patientCreated } from '../../support/events';
import {
  createTopics,
  deleteTopics,
  kafkaBrokers,
  testKafka,
  uniqueName,
  withAdmin,
} from '../../support/kafka';
import {
  killPrograms,
  type RunningProgram,
  signalboxArguments,
  spawnProcess,
  spawnSignalbox,
} from '../../support/process';
import { waitFor, within } from '../../support/waitFor';

let producer: Producer;
let prefix: string;
const prefixes: string[] = [];
const foreignTopics: string[] = [];

function newPrefix(): string {
  const name = uniqueName('console').replaceAll('.', '-');
  prefixes.push(name);
  return name;
}

beforeAll(async () => {
  producer = testKafka().producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  await compile();
});

beforeEach(async () => {
  prefix = newPrefix();
  await createTopics(
    ...catalogue.eventTypes.map((type) => ({ topic: topicOf(prefix, type), partitions: 2 })),
    {
      topic: deadLetterTopic(prefix),
    },
  );
});

afterEach(killPrograms);

// Not before the last test: a kafkajs producer asks for all topics it ever wrote to, and fails when one is gone.
afterAll(async () => {
  await producer.disconnect();
  await deleteTopics(...prefixes.flatMap((made) => topicsOf(made)), ...foreignTopics);
});

const topicsOf = (name: string): string[] => [
  ...catalogue.eventTypes.map((type) => topicOf(name, type)),
  deadLetterTopic(name),
];

const env = (): Record<string, string> => ({
  KAFKA_BOOTSTRAP_SERVERS: kafkaBrokers().join(','),
  KAFKA_TOPIC_PREFIX: prefix,
});

const startConsole = (...args: string[]): Promise<RunningProgram> =>
  spawnSignalbox('console', { args, env: env() });

/** Everything that a console prints which ends by itself, without the line that says that it listens. */
async function printed(...args: string[]): Promise<string[]> {
  const program = await startConsole(...args);
  expect(await within(program.exited, { what: `the console to end` })).toEqual({ code: 0, signal: null });
  return program.lines().filter((line) => line !== '' && !line.startsWith('Listening'));
}

async function send(...events: EventEnvelope<'patient.created'>[]): Promise<void> {
  for (const event of events) {
    await sendRaw(topicOf(prefix, event.event_type), {
      key: event.metadata.aggregate_id,
      value: JSON.stringify(event),
      headers: { event_id: event.event_id },
    });
  }
}

async function sendRaw(topic: string, ...messages: Message[]): Promise<void> {
  await producer.send({ topic, acks: -1, messages });
}

const idsOf = (lines: string[]): unknown[] =>
  lines.map((line) => (JSON.parse(line) as { event_id?: unknown }).event_id);

test('prints each event as it comes, as one JSON object a line in a pipe, without colours', async () => {
  const before = patientCreated();
  await send(before);
  const program = await startConsole();
  await program.waitForLine(/^Listening/);
  const event = patientCreated();
  await send(event);
  const line = await program.waitForLine(event.event_id);
  expect(JSON.parse(line)).toMatchObject({ ...event, kafka: { topic: topicOf(prefix, 'patient.created') } });
  expect(program.output()).not.toContain(before.event_id);
  expect(program.output()).not.toContain('\u001b');
  expect(await program.kill('SIGINT')).toEqual({ code: 0, signal: null });
});

test('reads from the beginning, ends at the limit, and formats as it is told', async () => {
  const events = [patientCreated(), patientCreated(), patientCreated()];
  await send(...events);
  expect(new Set(idsOf(await printed('patient.created', '--from-beginning', '--limit', '3')))).toEqual(
    new Set(events.map((event) => event.event_id)),
  );
  const [pretty] = await printed('--from-beginning', '--limit', '1', '--format', 'pretty');
  expect(pretty).toMatch(/^2026-01-05T19:00:00\.000Z patient\.created +[0-9a-f-]{36} name=/);
  const raw = await printed('--from-beginning', '--limit', '3', '--format', 'raw');
  expect(new Set(raw)).toEqual(new Set(events.map((event) => JSON.stringify(event))));
  const [withHeaders] = await printed('--from-beginning', '--limit', '1', '--headers');
  expect(JSON.parse(withHeaders ?? '')).toHaveProperty('kafka.headers.event_id');
});

test('shows only what a key, a filter or event types choose', async () => {
  const [one, two, three] = [patientCreated(), patientCreated(), patientCreated({ actor: 'account-9' })];
  await send(one, two, three);
  expect(
    idsOf(await printed('--from-beginning', '--limit', '1', '--key', two.metadata.aggregate_id)),
  ).toEqual([two.event_id]);
  expect(
    idsOf(await printed('--from-beginning', '--limit', '1', '--filter', 'metadata.actor=account-9')),
  ).toEqual([three.event_id]);
  const other = await startConsole('patient.deleted', '--from-beginning', '--limit', '1');
  await sendRaw(topicOf(prefix, 'patient.deleted'), { key: 'k', value: '{}' });
  await other.exited;
  expect(other.output()).not.toContain(one.event_id);
});

test('takes patterns of event types, topics that are none of ours, and several conditions', async () => {
  const foreign = uniqueName('foreign');
  foreignTopics.push(foreign);
  await createTopics({ topic: foreign });
  await sendRaw(foreign, { key: 'k', value: 'anything' });
  const [line] = await printed(foreign, '--from-beginning', '--limit', '1');
  expect(JSON.parse(line ?? '')).toMatchObject({ value: 'anything', kafka: { topic: foreign } });
  const events = ['account-1', 'account-2', 'account-3'].map((actor) => patientCreated({ actor }));
  await send(...events);
  const conditions = ['metadata.actor!=account-1', 'metadata.actor!=account-3'];
  const options = conditions.flatMap((condition) => ['--filter', condition]);
  expect(idsOf(await printed('patient.*', '--from-beginning', '--limit', '1', ...options))).toEqual([
    events[1]?.event_id,
  ]);
});

test('writes no colours into a file, not even in the pretty format', async () => {
  await send(patientCreated());
  const directory = await mkdtemp(join(tmpdir(), 'signalbox-console-'));
  try {
    const file = `${await compile()}/src/cli/main.js`;
    const options = await signalboxArguments('console', [
      '--from-beginning',
      '--limit',
      '1',
      '--format',
      'pretty',
      '--headers',
    ]);
    const program = await spawnProcess({
      command: '/bin/bash',
      args: ['-c', '"$0" "$@" > "$OUTPUT"', process.execPath, file, ...options],
      env: { ...env(), OUTPUT: join(directory, 'events.txt') },
    });
    expect(await program.exited).toEqual({ code: 0, signal: null });
    const written = await readFile(join(directory, 'events.txt'), 'utf8');
    expect(written).toContain('patient.created');
    expect(written).not.toContain('\u001b');
  } finally {
    await rm(directory, { recursive: true });
  }
});

test('begins at a time', async () => {
  const [old, young] = [patientCreated(), patientCreated()];
  const topic = topicOf(prefix, 'patient.created');
  const message = (event: EventEnvelope<'patient.created'>, ageMs: number): Message => ({
    key: 'k',
    value: JSON.stringify(event),
    timestamp: String(Date.now() - ageMs),
  });
  await sendRaw(topic, message(old, 3_600_000));
  await sendRaw(topic, message(young, 60_000));
  expect(idsOf(await printed('--since', '10m', '--limit', '1'))).toEqual([young.event_id]);
  expect(idsOf(await printed('--since', '2h', '--limit', '1'))).toEqual([old.event_id]);
  const halfAnHourAgo = new Date(Date.now() - 1_800_000).toISOString();
  expect(idsOf(await printed('--since', halfAnHourAgo, '--limit', '1'))).toEqual([young.event_id]);
});

test('shows a message that is no event as it is, with the reason, and goes on', async () => {
  const event = patientCreated();
  const topic = topicOf(prefix, 'patient.created');
  await sendRaw(topic, { key: 'a', value: 'oops', partition: 0 }, { key: 'b', value: null, partition: 0 });
  await sendRaw(topic, { key: 'c', value: JSON.stringify(event), partition: 0 });
  const lines = await printed('--from-beginning', '--limit', '3');
  expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { problem: 'the value is not JSON', value: 'oops' },
    { problem: 'the message has no value', value: null },
    { event_id: event.event_id },
  ]);
});

test('shows dead letters with their reason, of chosen event types if asked', async () => {
  const dead = (type: string, value: string): Message => ({
    key: 'k',
    value,
    headers: { 'dlq.original.topic': `${prefix}.${type}`, 'dlq.error.class': 'RangeError' },
  });
  await sendRaw(deadLetterTopic(prefix), dead('email.send', 'one'), dead('patient.created', 'two'));
  const lines = await printed('--dead-letters', 'patient.created', '--from-beginning', '--limit', '1');
  expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
    { value: 'two', kafka: { headers: { 'dlq.error.class': 'RangeError' } } },
  ]);
  const [pretty] = await printed('--dead-letters', '--from-beginning', '--limit', '1', '--format', 'pretty');
  expect(pretty).toContain('RangeError');
});

test('leaves no trace: no committed offset and no group', async () => {
  await send(patientCreated());
  const groups = async (): Promise<string[]> =>
    withAdmin(async (admin) => (await admin.listGroups()).groups.map(({ groupId }) => groupId));
  const earlier = new Set(await groups());
  const program = await startConsole('--from-beginning');
  await program.waitForLine(/^\{/);
  const [own] = (await groups()).filter((group) => group.startsWith('console-') && !earlier.has(group));
  expect(own).toBeDefined();
  await program.kill('SIGTERM');
  expect(await groups()).not.toContain(own);
});

test('with a group goes on where it was', async () => {
  const events = [patientCreated(), patientCreated(), patientCreated()];
  const topic = topicOf(prefix, 'patient.created');
  await sendRaw(topic, ...events.map((event) => ({ key: 'k', value: JSON.stringify(event), partition: 0 })));
  const group = uniqueName('console-group');
  const first = await printed('--from-beginning', '--group', group, '--limit', '2');
  const second = await printed('--from-beginning', '--group', group, '--limit', '1');
  expect(idsOf([...first, ...second])).toEqual(events.map((event) => event.event_id));
});

test('ends in peace when the reader of its output goes away', async () => {
  await send(patientCreated());
  const file = `${await compile()}/src/cli/main.js`;
  const options = await signalboxArguments('console', ['--from-beginning']);
  const program = await spawnProcess({
    command: '/bin/bash',
    args: ['-c', `"$0" "$@" | head -n 1; echo "codes \${PIPESTATUS[*]}"`, process.execPath, file, ...options],
    env: env(),
  });
  // Like any program it learns that nobody reads any more when it writes, so something has to come.
  const codes = await waitFor(
    async () => {
      await send(patientCreated());
      return program.lines().find((line) => line.startsWith('codes'));
    },
    { what: () => `the console to end:\n${program.output()}`, intervalMs: 100 },
  );
  expect(codes).toBe('codes 0 0');
  expect(program.lines().filter((line) => line.startsWith('{'))).toHaveLength(1);
});

test('waits for topics that will be created, and says so', async () => {
  prefix = newPrefix();
  const program = await startConsole('patient.created', '--from-beginning');
  await program.waitForLine(/^Waiting for .*patient\.created/);
  await createTopics({ topic: topicOf(prefix, 'patient.created') });
  const event = patientCreated();
  await send(event);
  await program.waitForLine(event.event_id);
});

test('a name that is neither event type nor topic ends it with the names that there are', async () => {
  const program = await startConsole('patient.creatd');
  expect(await program.exited).toEqual({ code: 1, signal: null });
  expect(program.output()).toMatch(/^There is no topic "patient\.creatd" .*patient\.created.*\n$/);
});

test('a broker that does not answer ends it with one line, unless it is to wait', async () => {
  const nowhere = { env: { KAFKA_BOOTSTRAP_SERVERS: '127.0.0.1:1' } };
  const program = await spawnSignalbox('console', nowhere);
  expect(await program.exited).toEqual({ code: 1, signal: null });
  expect(program.lines().at(-2)).toMatch(
    /^No Kafka broker answers at 127\.0\.0\.1:1 \(127\.0\.0\.1:1: refuses the connection\)\. Start it/,
  );
  const patient = await spawnSignalbox('console', { ...nowhere, args: ['--wait'] });
  await patient.waitForLine('trying again');
  expect(await patient.kill('SIGINT')).toEqual({ code: 0, signal: null });
});

test('a filter, a limit or a time that cannot be read ends it with one line', async () => {
  for (const args of [
    ['--filter', 'x'],
    ['--limit', randomUUID()],
    ['--since', 'noon'],
  ]) {
    const program = await startConsole(...args);
    expect(await program.exited).toEqual({ code: 1, signal: null });
    expect(program.lines()).toHaveLength(2);
    expect(program.output()).toContain(args[0]);
  }
});
