import { Client } from 'pg';
import { catalogue } from '../../src/healthcore/catalogue';
import { topicOf } from '../../src/kafka/topics/topicNames';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { uniqueName } from '../support/kafka';
import { killPrograms } from '../support/process';
import { waitFor } from '../support/waitFor';
import { type Answers, runClients } from './support/clients';
import { type OwnBroker, startOwnBroker } from './support/ownBroker';
import { compare, readOutbox } from './support/publishedEvents';
import { readTopics } from './support/readTopics';
import { startSystem, type System } from './support/system';

jest.setTimeout(600_000);

const topicPrefix = uniqueName('outage');
let database: TestDatabase;
let broker: OwnBroker;
let system: System;
let client: Client;

beforeAll(async () => {
  [database, broker] = await Promise.all([createTestDatabase(), startOwnBroker()]);
  system = await startSystem({ databaseUrl: database.url, brokers: broker.address, topicPrefix });
  client = new Client({ connectionString: database.url });
  await client.connect();
});

afterAll(async () => {
  await client?.end();
  await killPrograms();
  await broker?.remove();
  await database?.drop();
});

async function countOf(table: string): Promise<number> {
  const { rows } = await client.query<{ count: number }>(`SELECT count(*)::int AS count FROM ${table}`);
  return rows[0]?.count ?? 0;
}

async function outboxGrowsBy(rows: number): Promise<void> {
  const before = await countOf('signalbox.outbox');
  await waitFor(async () => (await countOf('signalbox.outbox')) >= before + rows, {
    what: 'more events',
    deadlineMs: 120_000,
  });
}

describe('when the broker is killed while requests run', () => {
  it('answers every request, loses no event and keeps the order of each aggregate', async () => {
    const ending = new AbortController();
    const clients = runClients(system.api.url, 8, ending.signal);
    let answers: Answers;
    try {
      for (let outage = 0; outage < 2; outage += 1) {
        await outboxGrowsBy(200);
        await broker.kill();
        await outboxGrowsBy(200);
        await broker.restart();
      }
      await outboxGrowsBy(200);
    } finally {
      ending.abort();
      answers = await clients;
    }
    expect(answers.unanswered).toBe(0);
    expect([...answers.byStatus.keys()].filter((status) => status >= 400)).toEqual([]);

    const outbox = await readOutbox(database.url);
    await waitFor(async () => (await countOf('audit_log')) === outbox.length, {
      deadlineMs: 120_000,
      what: 'every event in the audit log',
    });
    const messages = await readTopics(
      broker.address,
      catalogue.eventTypes.map((eventType) => topicOf(topicPrefix, eventType)),
    );
    const { repeated, ...wrong } = compare(outbox, messages);
    expect(wrong).toEqual({ lost: [], invented: [], outOfOrder: [] });
    expect(repeated).toBeLessThan(outbox.length);
  });
});
