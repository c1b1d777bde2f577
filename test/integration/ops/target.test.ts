/** The outbox's target and topics in trouble, as operators see them. */
import type { Pool } from 'pg';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { uniqueName } from '../../support/kafka';
import { append, poolOf, RecordingPublisher, steppedRelay } from '../relay/harness';
import { kafkaEnv, newPrefix, ops, type Result } from './support';

let database: TestDatabase;
let pool: Pool;
const prefix = newPrefix();

beforeAll(async () => {
  database = await createTestDatabase();
  pool = poolOf(database.url);
});

afterAll(async () => {
  await pool.end();
  await database.drop();
});

const run = (topicPrefix: string, ...args: string[]): Promise<Result> =>
  ops({ DATABASE_URL: database.url, ...kafkaEnv(topicPrefix) }, ...args);

test('the target is shown, changed by command only, and guards replays; doctor compares it', async () => {
  const other = uniqueName('other').replaceAll('.', '-');
  const none = await run(prefix, 'outbox', 'target');
  expect(none).toMatchObject({ code: 2 });
  expect(none.output).toContain('no target yet');
  expect((await run(prefix, 'outbox', 'target', '--execute')).code).toBe(0);
  const same = await run(prefix, 'outbox', 'target', '--json');
  expect(same.json()).toMatchObject({ executed: false, same: true, target: { topicPrefix: prefix } });
  const differing = await run(other, 'outbox', 'target');
  expect(differing).toMatchObject({ code: 2 });
  for (const name of [prefix, other]) expect(differing.output).toContain(`"${name}.*"`);
  await append(pool, 'a', 1);
  const { leases, drain } = steppedRelay(pool);
  await leases.renew();
  await drain();
  await leases.releaseAll();
  const replay = await run(other, 'outbox', 'replay', '--all', '--execute');
  expect(replay).toMatchObject({ code: 1 });
  expect(replay.output).toContain('would be split');
  const findings = (await run(other, 'doctor', '--json')).json() as {
    findings: { check: string; status: string }[];
  };
  expect(findings.findings.find(({ check }) => check === 'target')).toMatchObject({ status: 'fail' });
  const changed = await run(other, 'outbox', 'target', '--execute', '--json');
  expect(changed.json()).toMatchObject({ executed: true, target: { topicPrefix: prefix } });
  expect((await run(other, 'outbox', 'target', '--json')).json()).toMatchObject({ same: true });
});

test('status and doctor name the topic that is refused, with the right and the account', async () => {
  const publisher = new RecordingPublisher();
  publisher.trouble('test.patient.deleted', 'refused', 'TOPIC_AUTHORIZATION_FAILED');
  await append(pool, 'b', 1, { eventType: 'patient.deleted' });
  const { leases, drain } = steppedRelay(pool, { publisher, account: 'relay-account' });
  await leases.renew();
  await drain();
  await leases.releaseAll();
  const sentence =
    'Kafka refuses Write on the topic "test.patient.deleted" to the account "relay-account": TOPIC_AUTHORIZATION_FAILED.';
  const status = await run(prefix, 'outbox', 'status', '--json');
  expect(status.json()).toMatchObject({
    waitingForTopics: [
      { eventType: 'patient.deleted', reason: 'topic_refused', events: 1, detail: sentence },
    ],
  });
  expect((await run(prefix, 'outbox', 'status')).output).toContain(sentence);
  const doctor = (await run(prefix, 'doctor', '--json')).json() as {
    findings: { check: string; status: string; detail: string; remedy?: string }[];
  };
  const finding = doctor.findings.find(({ detail }) => detail.includes(sentence));
  expect(finding).toMatchObject({ check: 'outbox', status: 'fail' });
  expect(finding?.remedy).toContain('Grant');
});
