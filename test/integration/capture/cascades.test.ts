/** The middleware engine beside triggers, which tell what foreign keys do in the course of its statements. */
import { createAdapter } from '../../../src/outbox/prisma/adapter/createAdapter';
import { withContext } from '../../../src/outbox/context';
import { withCapture } from '../../../src/outbox/prisma/middleware/extension';
import { markedComments } from '../../../src/outbox/prisma/statementComments';
import { readOwnSql } from '../../../src/outbox/sql/files';
import { catalogueOf } from '../../corpus/catalogueOf';
import { type Corpus, type CorpusClient, delegateOf, openCorpus } from '../../corpus/corpus';
import { createEmptyDatabase, type TestDatabase } from '../../support/database';
import { silentLogger } from '../../support/logger';
import { connect, install, type TestConnection } from '../trigger/support';

describe('a schema with a cascade', () => {
  let corpus: Corpus;
  let database: TestDatabase;
  let db: TestConnection;
  let prisma: CorpusClient & Transacting;
  const options = { source: 'shop', logger: silentLogger() };
  const installTriggers = async (): Promise<void> =>
    install((sql) => db.run(sql), catalogueOf(corpus.text).aggregates, corpus.text);
  const ofParents = (client: CorpusClient = prisma) => delegateOf(client, 'Parent');

  beforeAll(async () => {
    corpus = await openCorpus('multi-schema');
  });
  afterAll(() => corpus.remove());
  beforeEach(async () => {
    database = await createEmptyDatabase();
    db = await connect(database.url);
    for (const { sql } of [...(await readOwnSql()), ...corpus.schemas]) await db.run(sql);
    const adapter = createAdapter({
      ...options,
      databaseUrl: database.url,
      poolSize: 2,
      applicationName: 'cascade',
    });
    const client = new corpus.PrismaClient({ adapter, comments: [markedComments()] });
    const catalogue = catalogueOf(corpus.text) as never;
    prisma = withCapture(client, { ...options, catalogue }) as CorpusClient as typeof prisma;
  });
  afterEach(async () => {
    await prisma.$disconnect();
    await db.client.end();
    await database.drop();
  });

  const family = { name: 'a', children: { create: [{ name: 'b' }, { name: 'c' }] } };

  it('is captured as a whole beside triggers, with the context of the request', async () => {
    await installTriggers();
    await ofParents()['create']?.({ data: family });
    await db.events();
    await withContext({ actor: 'user:ada', correlationId: 'c-1' }, async () =>
      ofParents()['delete']?.({ where: { id: 1 } }),
    );
    const events = await db.events();
    expect(events.map(({ event_type }) => event_type).toSorted()).toEqual([
      'Child.deleted',
      'Child.deleted',
      'Parent.deleted',
    ]);
    for (const event of events)
      expect(event).toMatchObject({ source: 'shop', actor: 'user:ada', correlation_id: 'c-1' });
  });

  it('refuses what may set it off where there are no triggers, in whatever way it is written', async () => {
    await ofParents()['create']?.({ data: family });
    const refusal =
      /^The relation Child\.parent has "onDelete: Cascade": deleting a Parent changes rows of Child.*trigger.*npx signalbox sync/;
    const remove = async (client?: CorpusClient): Promise<unknown> =>
      ofParents(client)['delete']?.({ where: { id: 1 } });
    await expect(remove()).rejects.toThrow(refusal);
    await expect(prisma.$transaction((tx) => remove(tx))).rejects.toThrow(refusal);
    await expect(prisma.$transaction([ofParents()['deleteMany']?.()])).rejects.toThrow(refusal);
    await expect(prisma.$executeRawUnsafe('TRUNCATE sales."Parent" CASCADE')).rejects.toThrow(refusal);
    expect(await ofParents()['count']?.()).toBe(1);
    // As soon as they are there, everything goes.
    await installTriggers();
    await remove();
    expect(await ofParents()['count']?.()).toBe(0);
  });

  it('refuses a write that changes rows both itself and by the cascade', async () => {
    await installTriggers();
    await ofParents()['create']?.({ data: family });
    const children = { update: { where: { id: 1 }, data: { name: 'd' } } };
    await expect(ofParents()['update']?.({ where: { id: 1 }, data: { id: 2, children } })).rejects.toThrow(
      /gives a Parent a new key, and the relation Child\.parent makes the database change rows of Child/,
    );
    await db.events();
    await ofParents()['update']?.({ where: { id: 1 }, data: { id: 2 } });
    expect((await db.types()).toSorted()).toEqual([
      'Child.updated',
      'Child.updated',
      'Parent.created',
      'Parent.deleted',
    ]);
  });
});

it('refuses a rule about links, and names the way out', async () => {
  const corpus = await openCorpus('plain');
  const options = { source: 'shop', logger: silentLogger() };
  const database = { ...options, databaseUrl: 'postgresql://nobody@127.0.0.1:1/none', poolSize: 1 };
  const adapter = createAdapter({ ...database, applicationName: 'links' });
  const client = new corpus.PrismaClient({ adapter, comments: [markedComments()] });
  const schema = corpus.schemas.find(({ name }) => name === '32-implicit-many-to-many');
  const catalogue = catalogueOf(schema?.withDatasource ?? '', { links: true }) as never;
  expect(() => withCapture(client, { ...options, catalogue })).toThrow(
    /can't tell "Post\.tags\.linked".*Use the trigger engine/,
  );
  await client.$disconnect();
  corpus.remove();
});

interface Transacting {
  $transaction(work: ((tx: CorpusClient) => Promise<unknown>) | readonly unknown[]): Promise<unknown>;
  $executeRawUnsafe(sql: string): Promise<number>;
}
