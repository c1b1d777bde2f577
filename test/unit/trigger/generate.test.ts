import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Aggregate } from '../../../src/events/aggregate';
import { catalogue } from '../../../src/healthcore/catalogue';
import { bytes, int, restricted, text, uuid } from '../../../src/events/fields';
import { notNull } from '../../../src/events/notNull';
import { generate } from '../../../src/outbox/prisma/captureSql/generate';
import { readTables } from '../../../src/outbox/prisma/schema/tables';

const shipped = readTables(readFileSync(resolve(__dirname, '../../../prisma/schema.prisma'), 'utf8'));

const tables = readTables(`
enum Mood { 
  GOOD @map("good")
  BAD
}
model Note {
  id String @id @db.Uuid
  body String
  tags String[]
  scan Bytes
  mood Mood
  group Int
  code String? @unique
  @@map("notes")
}`);

const note: Aggregate = {
  type: 'note',
  model: 'Note',
  key: 'id',
  version: '2.1',
  fields: { id: uuid('note_id', 'identifier'), body: restricted('body') },
  events: { 'note.created': { on: 'create', carries: ['id'] } },
};

const names = (given: Aggregate): string[] => generate([given], tables).triggers.map(({ name }) => name);

describe('the generated triggers', () => {
  it('say every event of the catalogue that a row change means, and no restricted column in any event', () => {
    const { sql } = generate(catalogue.aggregates, shipped);
    for (const type of catalogue.eventTypes.filter((each) => each !== 'email.send'))
      expect(sql).toContain(`'${type}'`);
    expect(sql).not.toMatch(/"(clinical_notes|date_of_birth|reason)" AS/);
  });

  it('are the same for the same catalogue, and of another fingerprint for another', () => {
    const one = generate([note], tables);
    expect(generate([note], tables)).toEqual(one);
    const renamed = { ...note, fields: { ...note.fields, id: uuid('id', 'identifier') } };
    expect(generate([renamed], tables).sql).not.toBe(one.sql);
    expect(generate([{ ...note, version: '2.2' }], tables).sql).not.toBe(one.sql);
  });

  it('exist for the operations that may mean an event, and refuse TRUNCATE only where deletion means one', () => {
    // An update may change the primary key, which is a deletion and a creation.
    expect(names(note)).toEqual(['signalbox_note_insert', 'signalbox_note_update']);
    const deleted: Aggregate = { ...note, events: { 'note.deleted': { on: 'delete', carries: ['id'] } } };
    expect(names(deleted)).toEqual([
      'signalbox_note_update',
      'signalbox_note_delete',
      'signalbox_note_truncate',
    ]);
  });

  it('run with the rights of their owner, under a fixed search path, and are nobody else to attach', () => {
    for (const { sql, definer } of generate(catalogue.aggregates, shipped).triggers.filter(
      (each) => each.definer,
    )) {
      expect(definer).toBe(true);
      expect(sql).toContain('SECURITY DEFINER SET search_path = pg_catalog, pg_temp');
      expect(sql).toMatch(/REVOKE ALL ON FUNCTION signalbox\."\w+"\(\) FROM PUBLIC;/);
    }
  });

  it('compare an enum with its label in the database and write its name in Prisma', () => {
    const moody: Aggregate = {
      ...note,
      fields: { ...note.fields, mood: { ...text('mood', 'operational'), kind: 'enum' } },
      events: {
        'note.cheered': {
          on: 'update',
          when: { becomes: { field: 'mood', value: 'GOOD' } },
          carries: ['mood'],
        },
      },
    };
    const { sql } = generate([moody], tables);
    expect(sql).toContain(`n."mood" = 'good'`);
    expect(sql).toContain(`WHEN 'good' THEN 'GOOD'`);
  });
});

describe('the generator refuses', () => {
  const refused = (change: Partial<Aggregate>): (() => unknown) => {
    return () => generate([{ ...note, ...change }], tables);
  };
  const carrying = (field: Aggregate['fields'][string], name: string): Partial<Aggregate> => ({
    fields: { ...note.fields, [name]: field },
    events: { 'note.created': { on: 'create', carries: [name] } },
  });

  it('a model or a field that the schema does not have', () => {
    expect(refused({ model: 'Nota' })).toThrow('no model "Nota"');
    expect(refused(carrying(text('colour', 'operational'), 'colour'))).toThrow(
      'no column for the field "colour"',
    );
  });

  it('a key that names no single row', () => {
    const fields = { ...note.fields, group: int('group', 'identifier') };
    expect(refused({ key: 'group', fields })).toThrow('neither @id nor @unique');
    const optional = { ...note.fields, code: text('code', 'identifier') };
    expect(refused({ key: 'code', fields: optional })).toThrow('may be null');
  });

  it('to carry a list', () => {
    expect(refused(carrying(text('tags', 'operational'), 'tags'))).toThrow('is a list');
  });

  it('a name that Postgres would cut', () => {
    const long = 'x'.repeat(64);
    expect(refused(carrying(text(long, 'operational'), 'body'))).toThrow('longer than the 63 bytes');
  });

  it('a value that the column can never have', () => {
    const becoming = (field: string, value: string | null | typeof notNull): Partial<Aggregate> => ({
      fields: {
        ...note.fields,
        mood: { ...text('mood', 'operational'), kind: 'enum' },
        scan: bytes('scan', 'operational'),
        tags: restricted('tags'),
      },
      events: {
        'note.x': { on: 'update', when: { becomes: { field, value } as never }, carries: ['id'] },
      },
    });
    expect(refused(becoming('mood', 'good'))).toThrow('no such member');
    expect(refused(becoming('scan', 'AA=='))).toThrow("can't be compared");
    expect(refused(becoming('scan', notNull))).not.toThrow();
    // Prisma knows no list that is null, so the engines would not be equal.
    expect(refused(becoming('tags', notNull))).toThrow("can't be compared");
    expect(refused(becoming('tags', null))).toThrow("can't be compared");
  });
});

it('the aggregate that lists a relation is refused by a sentence that names the way out', () => {
  const relations = readTables(
    'model Post {\n id Int @id\n tags Tag[]\n}\nmodel Tag {\n id Int @id\n posts Post[]\n}',
  );
  const post: Aggregate = {
    ...note,
    model: 'Post',
    fields: { id: int('post_id', 'identifier'), tags: restricted('tags') },
    events: { 'post.tagged': { on: 'update', when: { changed: ['tags'] }, carries: ['id'] } },
  };
  expect(() => generate([post], relations)).toThrow(
    /^Post\.tags is a relation.*{ on: 'link', relation: 'tags', … }$/,
  );
});
