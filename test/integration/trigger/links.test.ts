import type { Aggregate, EventRule } from '../../../src/events/aggregate';
import { int, text } from '../../../src/events/fields';
import { generate } from '../../../src/outbox/prisma/captureSql/generate';
import { readTables } from '../../../src/outbox/prisma/schema/tables';
import { install, serverNames, startServer, type TestConnection, type TriggerServer } from './support';

const schema = `
model Post {
  id    Int    @id
  slug  String @unique
  tags  Tag[]
}
model Tag {
  word  String @id
  posts Post[]
}`;

const tagged = { relation: 'tags', carries: ['id'], other: text('tag', 'operational') } as const;
const post = {
  type: 'post',
  model: 'Post',
  key: 'id',
  version: '1.0',
  fields: { id: int('post_id', 'identifier'), slug: text('slug', 'operational') },
  events: {
    'post.tagged': { on: 'link', ...tagged },
    'post.untagged': { on: 'unlink', ...tagged },
    'post.deleted': { on: 'delete', carries: ['id'] },
  },
} satisfies Aggregate;

describe.each(serverNames)('links of an implicit many-to-many relation on %s', (name) => {
  let server: TriggerServer;
  let db: TestConnection;
  const said = async (): Promise<string[]> =>
    (await db.events()).map(({ event_type, aggregate_id, data }) =>
      [event_type, aggregate_id, data['post_id'], data['tag']].join(' '),
    );

  beforeAll(async () => {
    server = await startServer(name);
    db = await server.open();
    await db.run(`
      CREATE TABLE "Post" (id int PRIMARY KEY, slug text UNIQUE);
      CREATE TABLE "Tag" (word text PRIMARY KEY);
      CREATE TABLE "_PostToTag" (
        "A" int NOT NULL REFERENCES "Post" ON DELETE CASCADE ON UPDATE CASCADE,
        "B" text NOT NULL REFERENCES "Tag" ON DELETE CASCADE ON UPDATE CASCADE,
        PRIMARY KEY ("A", "B"));
      INSERT INTO "Post" VALUES (1, 'one'), (2, 'two');
      INSERT INTO "Tag" VALUES ('a'), ('b')`);
    await install((sql) => db.run(sql), [post], schema);
  });
  afterAll(() => server.stop());

  it('have an event each, with both keys, in the order of the statement', async () => {
    await db.run(`INSERT INTO "_PostToTag" VALUES (1, 'b'), (1, 'a'), (2, 'a')`);
    expect(await said()).toEqual(['post.tagged 1 1 b', 'post.tagged 1 1 a', 'post.tagged 2 2 a']);
    await db.run(`DELETE FROM "_PostToTag" WHERE "A" = 1 AND "B" = 'a'`);
    expect(await said()).toEqual(['post.untagged 1 1 a']);
  });

  it('end and begin when they are changed, also by a new key; those that stay are none', async () => {
    await db.run(`UPDATE "_PostToTag" SET "B" = 'b' WHERE "A" = 2`);
    expect(await said()).toEqual(['post.untagged 2 2 a', 'post.tagged 2 2 b']);
    await db.run(`UPDATE "_PostToTag" SET "B" = "B"`);
    expect(await said()).toEqual([]);
    await db.run(`UPDATE "Tag" SET word = 'c' WHERE word = 'b'`);
    expect((await said()).toSorted()).toEqual([
      'post.tagged 1 1 c',
      'post.tagged 2 2 c',
      'post.untagged 1 1 b',
      'post.untagged 2 2 b',
    ]);
  });

  it('end with the row that they lead from, and with the one that they lead to', async () => {
    await db.run('DELETE FROM "Post" WHERE id = 2');
    expect((await said()).toSorted()).toEqual(['post.deleted 2 2 ', 'post.untagged 2 2 c']);
    await db.run(`DELETE FROM "Tag" WHERE word = 'c'`);
    expect(await said()).toEqual(['post.untagged 1 1 c']);
  });

  it('are not to be truncated away', async () => {
    await expect(db.run('TRUNCATE "_PostToTag"')).rejects.toMatchObject({ code: '0A000' });
  });
});

describe('a rule about links', () => {
  const refusal =
    (events: Record<string, EventRule>, given: Partial<Aggregate> = {}) =>
    (): unknown =>
      generate([{ ...post, ...given, events }], readTables(schema));

  it('is refused by a sentence where there is no such relation, or the event could not be written', () => {
    expect(refusal({ x: { on: 'link', ...tagged, relation: 'slug' } })).toThrow(
      'about links of Post.slug, which is not an implicit many-to-many relation',
    );
    expect(refusal({ x: { on: 'link', ...tagged, carries: ['id', 'slug'] } })).toThrow(
      'carries "slug": it can carry its key "id" alone',
    );
    expect(refusal({ x: { on: 'link', ...tagged, other: int('post_id', 'identifier') } })).toThrow(
      'names both sides "post_id"',
    );
    expect(refusal({ x: { on: 'link', ...tagged } }, { key: 'slug' })).toThrow(
      "whose table knows a Post by its @id: make it the aggregate's key",
    );
  });
});
