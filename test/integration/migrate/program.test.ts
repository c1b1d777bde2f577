import { createEmptyDatabase, type TestDatabase } from '../../support/database';
import { spawnSignalbox } from '../../support/process';

let database: TestDatabase;

beforeEach(async () => {
  database = await createEmptyDatabase();
});

afterEach(async () => {
  await database.assertNoLeaks();
  await database.drop();
});

describe('npm run migrate', () => {
  it('brings the database of DATABASE_URL up to date and ends', async () => {
    const first = await spawnSignalbox('migrate', { env: { DATABASE_URL: database.url } });
    expect(await first.exited).toEqual({ code: 0, signal: null });
    expect(first.output()).toMatch(/"applied":[1-9]\d*,"msg":"the database is up to date"/);
    const second = await spawnSignalbox('migrate', { env: { DATABASE_URL: database.url } });
    expect(await second.exited).toEqual({ code: 0, signal: null });
    expect(second.output()).toContain('"applied":0');
  });

  it('fails, in words, without a database', async () => {
    const program = await spawnSignalbox('migrate', { env: { DATABASE_URL: '' } });
    expect(await program.exited).toEqual({ code: 1, signal: null });
    expect(program.output()).toContain('DATABASE_URL is not set');
  });
});
