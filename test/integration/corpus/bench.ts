import { PrismaPg } from '@prisma/adapter-pg';
import { CaptureError } from '../../../src/outbox/captureError';
import { createAdapter } from '../../../src/outbox/prisma/adapter/createAdapter';
import { contextComments } from '../../../src/outbox/prisma/contextComments';
import { withCapture } from '../../../src/outbox/prisma/middleware/extension';
import { markedComments } from '../../../src/outbox/prisma/statementComments';
import { withSignals } from '../../../src/outbox/prisma/trigger/withSignals';
import { readOwnSql } from '../../../src/outbox/sql/files';
import { catalogueOf } from '../../corpus/catalogueOf';
import type { Corpus, CorpusClient, CorpusSchema } from '../../corpus/corpus';
import { type Findings, tryOperations } from '../../corpus/tryOperations';
import { Values } from '../../corpus/values';
import { World } from '../../corpus/world';
import { createEmptyDatabase } from '../../support/database';
import { silentLogger } from '../../support/logger';
import { connect, install, type TestConnection } from '../trigger/support';

const options = { source: 'corpus', logger: silentLogger() };

interface Opened {
  readonly url: string;
  readonly outbox: TestConnection;
  /** A client without capture. */
  readonly reader: CorpusClient;
}

/** Goes through all schemas of a corpus with each engine, in a database of its own. */
export class CorpusBench {
  readonly #undo: (() => Promise<unknown>)[] = [];

  constructor(private readonly corpus: Corpus) {}

  async close(): Promise<void> {
    for (const step of this.#undo.toReversed()) await step();
    this.corpus.remove();
  }

  async byTriggers(): Promise<Findings[]> {
    const { corpus } = this;
    const { url, outbox, reader } = await this.#open();
    const catalogue = catalogueOf(corpus.text, { links: true });
    await install((sql) => outbox.run(sql), catalogue.aggregates, corpus.text);
    const base = this.#client({ adapter: plainAdapter(url), comments: [contextComments(options)] });
    const client = (await withSignals(base, { ...options, catalogue: catalogue as never })) as CorpusClient;
    const findings: Findings[] = [];
    for (const schema of corpus.schemas) {
      const world = new World(client, reader, schema, new Values(corpus.enums));
      findings.push(await tryOperations(world, { outbox, raw: true }));
    }
    return findings;
  }

  /** Beside the triggers, which tell what foreign keys do. `refused` hears of schemas that the engine does not capture. */
  async byMiddleware(refused: (schema: CorpusSchema, error: CaptureError) => void): Promise<Findings[]> {
    const { corpus } = this;
    const opened = await this.#open();
    const findings: Findings[] = [];
    for (const schema of corpus.schemas) {
      const client = this.#captured(schema, opened.url, refused);
      if (!client) continue;
      await uninstall(opened.outbox);
      await install(
        (sql) => opened.outbox.run(sql),
        catalogueOf(schema.withDatasource).aggregates,
        schema.withDatasource,
      );
      const world = new World(client, opened.reader, schema, new Values(corpus.enums));
      findings.push(await tryOperations(world, { outbox: opened.outbox, raw: false }));
    }
    return findings;
  }

  #captured(
    schema: CorpusSchema,
    databaseUrl: string,
    refused: (schema: CorpusSchema, error: CaptureError) => void,
  ): CorpusClient | undefined {
    const database = { ...options, databaseUrl, poolSize: 2, applicationName: 'corpus' };
    const base = this.#client({ adapter: createAdapter(database), comments: [markedComments()] });
    try {
      const catalogue = catalogueOf(schema.withDatasource) as never;
      return withCapture(base, { ...options, catalogue }) as CorpusClient;
    } catch (error) {
      if (!(error instanceof CaptureError)) throw error;
      refused(schema, error);
      return undefined;
    }
  }

  /** The tables of all schemas, beside the outbox. */
  async #open(): Promise<Opened> {
    const database = await createEmptyDatabase();
    this.#undo.push(() => database.drop());
    const outbox = await connect(database.url);
    this.#undo.push(() => outbox.client.end());
    // The role of the tests has the name of our schema, which "$user" would put before "public".
    await outbox.run('SET search_path = public');
    for (const { sql } of [...(await readOwnSql()), ...this.corpus.schemas]) await outbox.run(sql);
    return { url: database.url, outbox, reader: this.#client({ adapter: plainAdapter(database.url) }) };
  }

  #client(given: object): CorpusClient {
    const client = new this.corpus.PrismaClient(given);
    this.#undo.push(() => client.$disconnect());
    return client;
  }
}

const plainAdapter = (connectionString: string): PrismaPg => new PrismaPg({ connectionString, max: 2 });

/** Takes away the triggers of the schema before. */
async function uninstall(outbox: TestConnection): Promise<void> {
  const functions = await outbox.run<{ name: string }>(
    `SELECT format('signalbox.%I()', proname) AS name FROM pg_proc
     WHERE pronamespace = 'signalbox'::regnamespace AND proname ~ '^(capture|refuse_truncate)_' AND prorettype = 'trigger'::regtype`,
  );
  for (const { name } of functions) await outbox.run(`DROP FUNCTION ${name} CASCADE`);
}

/** Nothing was wrong, and most operations fitted the rows that there were: else little would have been tried. */
export function expectRight(findings: readonly Findings[]): void {
  expect(findings.flatMap(({ wrong }) => wrong)).toEqual([]);
  const sum = (of: 'done' | 'failed'): number => findings.reduce((all, each) => all + each[of], 0);
  expect(sum('done')).toBeGreaterThanOrEqual(5 * sum('failed'));
}
