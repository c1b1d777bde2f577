import { readFileSync } from 'node:fs';
import path from 'node:path';
import { readTables } from '../../../src/outbox/prisma/schema/tables';
import { createTestDatabase } from '../../support/database';
import { connect } from '../trigger/support';

it('what the migrations add to Prisma’s own schema is in schema.prisma, so that "migrate dev" drops none of it', async () => {
  const schema = readFileSync(path.resolve(__dirname, '../../../prisma/schema.prisma'), 'utf8');
  const models = [...readTables(schema).values()].map(({ name }) => name);
  const database = await createTestDatabase();
  const db = await connect(database.url);
  try {
    const tables = await db.run<{ name: string }>(
      `SELECT relname::text AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = ANY ('{r,p,v,m,S}')`,
    );
    const expected = [...models, '_prisma_migrations'];
    expect(tables.map(({ name }) => name).sort()).toEqual(expected.sort());
  } finally {
    await db.client.end();
    await database.drop();
  }
});
