/** Postponed events in the operator's hands. */
import { PassThrough } from 'node:stream';
import { randomUUID } from 'node:crypto';
import { putAside } from '../../../src/consumers/postponed/putAside';
import type { EventEnvelope } from '../../../src/healthcore/catalogue';
import type { PrismaClient } from '../../../src/generated/prisma/client';
import {
  discardPostponed,
  listPostponed,
  type PostponedOptions,
  retryPostponed,
} from '../../../src/ops/postponed/postponed';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { messageOf, patientCreated, patientMarker } from '../../support/events';
import { toolsOf } from './tools';
import { silentLogger } from '../../support/logger';
import { createPrismaClient } from '../../../src/healthcore/createPrismaClient';

let database: TestDatabase;
let prisma: PrismaClient;

beforeAll(async () => {
  database = await createTestDatabase();
  prisma = createPrismaClient({
    databaseUrl: database.url,
    poolSize: 2,
    applicationName: 'postponed',
    logger: silentLogger(),
  });
});

afterAll(async () => {
  await prisma.$disconnect();
  await database.assertNoLeaks();
  await database.drop();
});

type Action = (tools: Parameters<typeof listPostponed>[0], options: PostponedOptions) => Promise<number>;

async function run(
  action: Action,
  options: PostponedOptions = {},
): Promise<{ code: number; output: string }> {
  const stdout = new PassThrough();
  const tools = toolsOf({ DATABASE_URL: database.url }, { stdout, logger: silentLogger() });
  const code = await action(tools, options);
  return { code, output: String(stdout.read() ?? '') };
}

const retry =
  (...ids: string[]): Action =>
  (tools, options) =>
    retryPostponed(tools, ids, options);
const discard =
  (...ids: string[]): Action =>
  (tools, options) =>
    discardPostponed(tools, ids, options);

async function postponed(consumer: string): Promise<EventEnvelope<'patient.created'>> {
  const event = patientCreated();
  const failure = { kind: 'later', errorClass: 'PostponeError', reason: 'the ward is closed' } as const;
  const tried = { failure, attempts: 2, afterMs: 3_600_000 };
  await prisma.$transaction((tx) =>
    putAside(tx, { consumer, delivery: { event, message: messageOf(event, 'test') }, tried }),
  );
  return event;
}

async function dueIn(eventId: string): Promise<number | undefined> {
  const [row] = await prisma.$queryRaw<{ seconds: number }[]>`
    SELECT extract(epoch FROM due_at - now())::float8 AS seconds
    FROM signalbox.postponed_event WHERE event_id = ${eventId}::uuid`;
  return row?.seconds;
}

test('they are listed with the reason and the next attempt, and nothing of a patient', async () => {
  const consumer = `consumer-${randomUUID()}`;
  const event = await postponed(consumer);
  const { code, output } = await run(listPostponed, { consumer });
  expect(code).toBe(0);
  expect(output).toMatch(new RegExp(`${consumer} +${event.event_id} +patient.created +patient/`));
  expect(output).toMatch(/in 60 min +2 +the ward is closed/);
  const json = await run(listPostponed, { consumer, json: true });
  expect(JSON.parse(json.output)).toMatchObject({
    postponed: [{ consumer, eventId: event.event_id, attempts: 2, givenUp: false, inHand: false }],
  });
  expect(output + json.output).not.toContain(patientMarker);
  expect((await run(listPostponed, { consumer: 'nothing-of-this-name' })).output).toBe(
    'No event is postponed.\n',
  );
});

test('a retry makes an event due, and does nothing without --execute', async () => {
  const event = await postponed('a');
  expect((await run(retry(event.event_id))).output).toContain('Nothing was changed; add --execute');
  expect(await dueIn(event.event_id)).toBeGreaterThan(3_000);
  expect((await run(retry(event.event_id), { execute: true })).output).toContain('1 event: tried now');
  expect(await dueIn(event.event_id)).toBeLessThanOrEqual(0);
});

test('a discard gives up those that are chosen, and does nothing without --execute', async () => {
  const [mine, other] = [await postponed('mine'), await postponed('other')];
  await run(discard(), { consumer: 'mine' });
  expect(await dueIn(mine.event_id)).toBeDefined();
  const { code, output } = await run(discard(), { consumer: 'mine', execute: true });
  expect({ code, given: output.includes('1 event: given up') }).toEqual({ code: 0, given: true });
  expect(await dueIn(mine.event_id)).toBeUndefined();
  expect(await dueIn(other.event_id)).toBeDefined();
});

test('what is named and not there is said, with exit code 1', async () => {
  expect(await run(retry(randomUUID()), { execute: true })).toEqual({
    code: 1,
    output: 'No postponed event fits.\n',
  });
});

test.each([
  [retry(), 'Say which'],
  [retry('1042'), 'named by their event_id'],
  [discard('x'), '"x" is not an event'],
])('a choice that is none is refused in one line (%#)', async (action, message) => {
  await expect(async () => run(action)).rejects.toThrow(message);
});
