import { Client } from 'pg';
import { createEmptyDatabase, createTestDatabase, type TestDatabase } from '../../support/database';

const opened: TestDatabase[] = [];

async function track(database: Promise<TestDatabase>): Promise<TestDatabase> {
  opened.push(await database);
  return database;
}

async function connect(url: string): Promise<Client> {
  const client = new Client({ connectionString: url, application_name: 'forgotten' });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

afterEach(async () => {
  await Promise.all(opened.splice(0).map((database) => database.drop()));
});

describe('test databases', () => {
  it('have all migrations applied and share nothing', async () => {
    const [one, two] = await Promise.all([track(createTestDatabase()), track(createTestDatabase())]);
    const client = await connect(one.url);
    await client.query('CREATE TABLE only_here ()');
    await client.query('SELECT count(*) FROM patients');
    await client.end();
    const other = await connect(two.url);
    const { rows } = await other.query<{ here: string | null }>("SELECT to_regclass('only_here') AS here");
    await other.end();
    expect(rows).toEqual([{ here: null }]);
  });

  it('can be made many at a time', async () => {
    const databases = await Promise.all(Array.from({ length: 8 }, () => track(createTestDatabase())));
    expect(new Set(databases.map((database) => database.name)).size).toBe(8);
  });

  it('can start without any table', async () => {
    const database = await track(createEmptyDatabase());
    const client = await connect(database.url);
    const { rows } = await client.query("SELECT to_regclass('patients') AS patients");
    await client.end();
    expect(rows).toEqual([{ patients: null }]);
  });

  it('tell which connections were left open', async () => {
    const database = await track(createTestDatabase());
    const client = await connect(database.url);
    await client.query('SELECT 42');
    await expect(database.assertNoLeaks(200)).rejects.toThrow(
      /1 connection\(s\).*"forgotten" idle: SELECT 42/s,
    );
    await client.end();
    await expect(database.assertNoLeaks()).resolves.toBeUndefined();
  });

  it('can be dropped while somebody is connected, and dropped again', async () => {
    const database = await track(createTestDatabase());
    await connect(database.url);
    await database.drop();
    await database.drop();
    await expect(connect(database.url)).rejects.toThrow(
      /does not exist|is not currently accepting connections/,
    );
  });
});
