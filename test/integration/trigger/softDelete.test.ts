import type { Aggregate } from '../../../src/events/aggregate';
import { restricted, uuid } from '../../../src/events/fields';
import { notNull } from '../../../src/events/notNull';
import { install, serverNames, startServer, type TestConnection, type TriggerServer } from './support';

const schema = `
model Note {
  id        String    @id @db.Uuid
  deletedAt DateTime? @map("deleted_at") @db.Timestamptz(3)
  @@map("notes")
}`;

const note: Aggregate = {
  type: 'note',
  model: 'Note',
  key: 'id',
  version: '1.0',
  fields: { id: uuid('note_id', 'identifier'), deletedAt: restricted('deleted_at') },
  events: {
    'note.deleted': {
      on: 'update',
      when: { becomes: { field: 'deletedAt', value: notNull } },
      carries: ['id'],
    },
    'note.restored': {
      on: 'update',
      when: { becomes: { field: 'deletedAt', value: null } },
      carries: ['id'],
    },
  },
};

describe.each(serverNames)('a rule on null on %s', (name) => {
  let server: TriggerServer;
  let db: TestConnection;

  beforeAll(async () => {
    server = await startServer(name);
    db = await server.open();
    await db.run('CREATE TABLE notes (id uuid PRIMARY KEY, deleted_at timestamptz)');
    await install((sql) => db.run(sql), [note], schema);
    await db.run('INSERT INTO notes SELECT gen_random_uuid() FROM generate_series(1, 2)');
  });
  afterAll(() => server.stop());

  it('tells a soft delete and its reversal, and not another time of the same', async () => {
    await db.run('UPDATE notes SET deleted_at = now()');
    expect(await db.types()).toEqual(['note.deleted', 'note.deleted']);
    await db.run("UPDATE notes SET deleted_at = deleted_at + interval '1 s'");
    expect(await db.types()).toEqual([]);
    await db.run('UPDATE notes SET deleted_at = NULL');
    expect(await db.types()).toEqual(['note.restored', 'note.restored']);
    await db.run('UPDATE notes SET deleted_at = NULL');
    expect(await db.types()).toEqual([]);
  });
});
