/**
 * Both engines in front of schemas that other people might have written (test/corpus): after every operation the outbox
 * says what the difference of the tables says, and nothing else. `npm test` tries every third operation.
 */
import { PrismaPg } from '@prisma/adapter-pg';
import { CaptureError } from '../../../src/outbox/captureError';
import { createAdapter } from '../../../src/outbox/prisma/adapter/createAdapter';
import { contextComments } from '../../../src/outbox/prisma/contextComments';
import { withCapture } from '../../../src/outbox/prisma/middleware/extension';
import { markedComments } from '../../../src/outbox/prisma/statementComments';
import { withSignals } from '../../../src/outbox/prisma/trigger/withSignals';
import { readOwnSql } from '../../../src/outbox/sql/files';
import { catalogueOf } from '../../corpus/catalogueOf';
import { type Corpus, type CorpusClient, corpusNames, openCorpus } from '../../corpus/corpus';
import { type Findings, tryOperations } from '../../corpus/tryOperations';
import { Values } from '../../corpus/values';
import { World } from '../../corpus/world';
import { createEmptyDatabase } from '../../support/database';
import { silentLogger } from '../../support/logger';
import { connect, install, type TestConnection } from '../trigger/support';

jest.setTimeout(300_000);

const options = { source: 'corpus', logger: silentLogger() };

describe.each(corpusNames)('the schemas of the folder %s', (name) => {
  let corpus: Corpus;
  const undo: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    corpus = await openCorpus(name);
  });
  afterAll(async () => {
    for (const step of undo.toReversed()) await step();
    corpus.remove();
  });

  /** The tables of all schemas, beside the outbox. */
  async function open(): Promise<{ url: string; outbox: TestConnection; reader: CorpusClient }> {
    const database = await createEmptyDatabase();
    undo.push(() => database.drop());
    const outbox = await connect(database.url);
    undo.push(() => outbox.client.end());
    // The role of the tests has the name of our schema, which "$user" would put before "public".
    await outbox.run('SET search_path = public');
    for (const { sql } of [...(await readOwnSql()), ...corpus.schemas]) await outbox.run(sql);
    return { url: database.url, outbox, reader: clientOf({ adapter: plainAdapter(database.url) }) };
  }

  function clientOf(given: object): CorpusClient {
    const client = new corpus.PrismaClient(given);
    undo.push(() => client.$disconnect());
    return client;
  }

  const plainAdapter = (connectionString: string): PrismaPg => new PrismaPg({ connectionString, max: 2 });

  test('mean by the trigger engine what their rows say', async () => {
    const { url, outbox, reader } = await open();
    const all = catalogueOf(corpus.text);
    await install((sql) => outbox.run(sql), all.aggregates, corpus.text);
    const comments = [contextComments(options)];
    const base = clientOf({ adapter: plainAdapter(url), comments });
    const client = (await withSignals(base, { ...options, catalogue: all as never })) as CorpusClient;
    const findings: Findings[] = [];
    for (const schema of corpus.schemas) {
      const world = new World(client, reader, schema, new Values(corpus.enums));
      findings.push(await tryOperations(world, { outbox, raw: true }));
    }
    expect(findings.flatMap(({ wrong }) => wrong)).toEqual([]);
  });

  test('mean by the middleware engine what their rows say, or are refused by a sentence', async () => {
    const { url, outbox, reader } = await open();
    const database = { ...options, databaseUrl: url, poolSize: 2, applicationName: 'corpus' };
    const findings: Findings[] = [];
    for (const schema of corpus.schemas) {
      const catalogue = catalogueOf(schema.withDatasource);
      const base = clientOf({ adapter: createAdapter(database), comments: [markedComments()] });
      const capture = (): CorpusClient =>
        withCapture(base, { ...options, catalogue: catalogue as never }) as CorpusClient;
      if (schema.middlewareRefuses) {
        expect(capture).toThrow(schema.middlewareRefuses);
        expect(capture).toThrow(CaptureError);
        continue;
      }
      // Beside the triggers, which tell what foreign keys do.
      await uninstall(outbox);
      await install((sql) => outbox.run(sql), catalogue.aggregates, schema.withDatasource);
      const world = new World(capture(), reader, schema, new Values(corpus.enums));
      findings.push(await tryOperations(world, { outbox, raw: false }));
    }
    expect(findings.flatMap(({ wrong }) => wrong)).toEqual([]);
  });
});

/** Takes away the triggers of the schema before. */
async function uninstall(outbox: TestConnection): Promise<void> {
  const functions = await outbox.run<{ name: string }>(
    `SELECT format('signalbox.%I()', proname) AS name FROM pg_proc
     WHERE pronamespace = 'signalbox'::regnamespace AND proname ~ '^(capture|refuse_truncate)_' AND prorettype = 'trigger'::regtype`,
  );
  for (const { name } of functions) await outbox.run(`DROP FUNCTION ${name} CASCADE`);
}
