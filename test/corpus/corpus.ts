import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type * as DMMF from '@prisma/dmmf';
import { getDMMF } from '@prisma/get-dmmf';
import type { PrismaClientLike } from '../../src/outbox/prisma/captured';

/** One schema of the corpus. */
export interface CorpusSchema {
  readonly name: string;
  readonly text: string;
  readonly withDatasource: string;
  readonly sql: string;
  /** What the middleware engine says when it refuses the schema; none where it captures it. */
  readonly middlewareRefuses: RegExp | undefined;
  readonly models: readonly DMMF.Model[];
}

/** The schemas of a folder, which share a client and a database. */
export interface Corpus {
  readonly schemas: readonly CorpusSchema[];
  /** All of them as one schema, with the datasource. */
  readonly text: string;
  readonly enums: readonly DMMF.DatamodelEnum[];
  readonly PrismaClient: new (options: object) => CorpusClient;
  remove(): void;
}

/** A client of any schema: its delegates by the model's name, which begins with a small letter there. */
export type CorpusClient = PrismaClientLike & Readonly<Record<string, Delegate>>;
export type Delegate = Readonly<Record<string, (args?: object) => Promise<unknown>>>;

const root = path.resolve(__dirname, '../..');
const folder = path.join(__dirname, 'schemas');

/** What the datasource of each folder says beside its provider. */
const settings: Readonly<Record<string, string>> = {
  plain: '',
  'relation-mode': '  relationMode = "prisma"\n',
  'multi-schema': '  schemas = ["sales", "stock room"]\n',
};

export const corpusNames = Object.keys(settings);

const headWith = (lines = ''): string => `datasource db {\n  provider = "postgresql"\n${lines}}\n`;

/** Reads a folder of the corpus and generates its client. */
export async function openCorpus(name: string): Promise<Corpus> {
  const head = headWith(settings[name]);
  const files = readdirSync(path.join(folder, name)).filter((file) => file.endsWith('.prisma'));
  return openSchemas(
    files.toSorted().map((file) => readSchema(path.join(folder, name, file), head)),
    head,
  );
}

/** Generates the client of schemas that are in no file. No two models may have one name. */
export async function openGenerated(
  schemas: readonly Pick<CorpusSchema, 'name' | 'text' | 'sql'>[],
): Promise<Corpus> {
  const head = headWith();
  return openSchemas(
    schemas.map((schema) => ({ ...schema, ...derived(schema.text, head) })),
    head,
  );
}

async function openSchemas(schemas: readonly CorpusSchema[], head: string): Promise<Corpus> {
  const directory = mkdtempSync(path.join(tmpdir(), 'signalbox-corpus-'));
  const text = [head, ...schemas.map((schema) => schema.text)].join('\n');
  const generator = `generator client {\n  provider = "prisma-client-js"\n  output = "./client"\n}\n`;
  writeFileSync(path.join(directory, 'schema.prisma'), generator + text);
  symlinkSync(path.join(root, 'node_modules'), path.join(directory, 'node_modules'));
  await promisify(execFile)(
    process.execPath,
    [
      path.join(root, 'node_modules/prisma/build/index.js'),
      'generate',
      '--no-hints',
      '--schema',
      'schema.prisma',
    ],
    { cwd: directory, env: { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath } },
  );
  const client = createRequire(path.join(directory, 'schema.prisma'))('./client') as Pick<
    Corpus,
    'PrismaClient'
  >;
  return {
    schemas,
    text,
    enums: datamodel(text).enums,
    PrismaClient: client.PrismaClient,
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

function readSchema(file: string, head: string): CorpusSchema {
  const text = readFileSync(file, 'utf8');
  return {
    name: path.basename(file, '.prisma'),
    text,
    sql: readFileSync(file.replace(/\.prisma$/, '.sql'), 'utf8'),
    ...derived(text, head),
  };
}

function derived(
  text: string,
  head: string,
): Pick<CorpusSchema, 'withDatasource' | 'middlewareRefuses' | 'models'> {
  const [, refusal] = /^\/\/ middleware refuses: (.*)$/m.exec(text) ?? [];
  return {
    withDatasource: head + text,
    middlewareRefuses: refusal === undefined ? undefined : new RegExp(refusal),
    models: datamodel(head + text).models,
  };
}

function datamodel(text: string): DMMF.Datamodel {
  const document = getDMMF({ datamodel: [['schema.prisma', text]] });
  if ('error' in document) throw document.error;
  return document.datamodel;
}

/** The delegate of a model. */
export function delegateOf(client: CorpusClient, model: string): Delegate {
  const delegate = client[model.charAt(0).toLowerCase() + model.slice(1)];
  if (!delegate) throw new Error(`The client has no model ${model}`);
  return delegate;
}
