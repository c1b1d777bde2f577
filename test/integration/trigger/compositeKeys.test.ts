import type { Aggregate } from '../../../src/events/aggregate';
import { date, int, restricted, text } from '../../../src/events/fields';
import { keyOf } from '../../../src/outbox/mapping';
import { install, serverNames, startServer, type TestConnection, type TriggerServer } from './support';

const schema = `
model Invoice {
  tenantId String   @map("tenant_id")
  day      DateTime @db.Date
  number   Int
  total    Int
  @@id([tenantId, day, number])
  @@map("invoices")
}`;

const invoice: Aggregate = {
  type: 'invoice',
  model: 'Invoice',
  key: ['tenantId', 'day', 'number'],
  version: '1.0',
  fields: {
    tenantId: text('tenant_id', 'identifier'),
    day: date('day', 'identifier'),
    number: int('number', 'identifier'),
    total: restricted('total'),
  },
  events: {
    'invoice.created': { on: 'create', carries: ['number'] },
    'invoice.updated': { on: 'update', when: { changed: ['total'] }, carries: ['number'] },
    'invoice.deleted': { on: 'delete', carries: ['number'] },
  },
};

describe.each(serverNames)('a key of several fields on %s', (name) => {
  let server: TriggerServer;
  let db: TestConnection;
  const ids = async (): Promise<string[]> =>
    (await db.events()).map(({ event_type, aggregate_id }) => `${event_type} ${aggregate_id}`);

  beforeAll(async () => {
    server = await startServer(name);
    db = await server.open();
    await db.run(
      `CREATE TABLE invoices (tenant_id text, day date, number int, total int, PRIMARY KEY (tenant_id, day, number))`,
    );
    await install((sql) => db.run(sql), [invoice], schema);
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    await db.run('DELETE FROM invoices');
    await db.events();
  });

  it('names the aggregate by all of them, so that no two rows have one name', async () => {
    const rows = [
      { tenantId: 'a:1', day: new Date('2026-01-05'), number: 1 },
      { tenantId: 'a%3A1', day: new Date('2026-01-05'), number: 1 },
      { tenantId: 'a', day: new Date('2026-01-05'), number: 1 },
    ];
    for (const { tenantId, day, number } of rows)
      await db.run('INSERT INTO invoices VALUES ($1, $2::text::date, $3, 0)', [
        tenantId,
        day.toISOString(),
        number,
      ]);
    const names = (await db.events()).map(({ aggregate_id }) => aggregate_id);
    expect(names).toEqual(['a%3A1:2026-01-05:1', 'a%253A1:2026-01-05:1', 'a:2026-01-05:1']);
    expect(rows.map((row) => keyOf(invoice, row))).toEqual(names);
  });

  it.each([1, 2])('tells changes from moves, of %i rows at once', async (count) => {
    await db.run(`INSERT INTO invoices SELECT 't', '2026-01-05', n, 0 FROM generate_series(1, $1::int) n`, [
      count,
    ]);
    const numbers = Array.from({ length: count }, (_, at) => at + 1);
    expect(await ids()).toEqual(numbers.map((n) => `invoice.created t:2026-01-05:${n}`));
    await db.run('UPDATE invoices SET total = 1');
    expect((await ids()).toSorted()).toEqual(numbers.map((n) => `invoice.updated t:2026-01-05:${n}`));
    // A join by the first fields of the key alone would take these for changes.
    await db.run('UPDATE invoices SET number = number + 10, total = 2');
    expect((await ids()).toSorted()).toEqual([
      ...numbers.map((n) => `invoice.created t:2026-01-05:${n + 10}`),
      ...numbers.map((n) => `invoice.deleted t:2026-01-05:${n}`),
    ]);
  });
});
