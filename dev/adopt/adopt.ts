import { cp, readFile, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { Client } from 'pg';
import { editCatalogue, editConfig } from './edits';
import { findFreePort } from '../postgres/ports';
import { sleep } from '../../src/shared/sleep';
import { type Environment, run, start } from './processes';

export interface Adoption {
  /** The foreign project, which is copied. */
  readonly fixture: string;
  /** What all of them have: the program. */
  readonly shared: string;
  readonly directory: string;
  readonly tarball: string;
  readonly serverUrl: string;
  readonly brokers: string;
  /** The folder whose processes end with this one, see watchman.ts. */
  readonly watched: string;
  /** A version of Prisma in place of the one that the fixture names. */
  readonly prisma: string | undefined;
}

interface Expected {
  readonly type: string;
  readonly id: string;
  readonly actor?: string;
  /** Where it matters. */
  readonly correlationId?: string;
}

/** Goes a user's way through one project. Resolves to what was seen. @throws Error that says what was not as expected. */
export async function adopt(adoption: Adoption): Promise<string> {
  const { directory } = adoption;
  await install(adoption);
  const databaseUrl = await createDatabase(adoption.serverUrl, path.basename(directory));
  const prefix = path.basename(directory);
  const env = {
    DATABASE_URL: databaseUrl,
    KAFKA_BOOTSTRAP_SERVERS: adoption.brokers,
    KAFKA_TOPIC_PREFIX: prefix,
    CONSUMER_GROUP_PREFIX: prefix,
    HOST: '127.0.0.1',
  };
  const tool = ([name = '', ...args]: readonly string[], given: Environment = {}): Promise<string> =>
    run(installed(directory, name), args, { ...adoption, env: given });

  await tool(['signalbox', 'init', '--yes']);
  const before = contents(directory);
  const second = await tool(['signalbox', 'init', '--yes']);
  if (!isDeepStrictEqual(contents(directory), before))
    throw new Error(`A second init wrote something: ${second}`);
  editCatalogue(directory);
  editConfig(directory);
  await tool(['signalbox', 'sync']);
  await tool(['tsc', '--noEmit']);
  await tool(['signalbox', 'check']);
  await tool(['signalbox', 'migrate'], env);
  await tool(['signalbox', 'check'], env);

  const printed = await tool(['tsx', 'src/program.ts'], env);
  const expected = JSON.parse(printed.trim().split('\n').at(-1) ?? '') as Expected[];
  const relay = await start(installed(directory, 'signalbox'), ['relay'], {
    ...adoption,
    env: { ...env, RELAY_PORT: String(await findFreePort()) },
  });
  try {
    const events = await readEvents(tool, env, expected.length);
    compare(expected, events);
    await greet(adoption, env, events.filter(({ event_type: type }) => type === 'user.created').length);
  } finally {
    await relay.stop();
  }
  return `${expected.length} events as expected`;
}

/** What `npx` runs; without it, because a signal to it does not reach what it has started. */
const installed = (directory: string, name: string): string =>
  path.join(directory, 'node_modules', '.bin', name);

async function install(adoption: Adoption): Promise<void> {
  const { fixture, shared, directory, tarball, prisma } = adoption;
  await cp(fixture, directory, { recursive: true });
  await cp(shared, path.join(directory, 'src'), { recursive: true });
  if (prisma !== undefined) await changePrisma(path.join(directory, 'package.json'), prisma);
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  await run('npm', ['install', ...quiet, tarball], { ...adoption, env: {} });
  // Generating needs no schema engine, yet Prisma wants one to be there: any program does.
  const env = { PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, DATABASE_URL: 'postgresql://nowhere/nothing' };
  await run(installed(directory, 'prisma'), ['generate'], { ...adoption, env });
}

async function changePrisma(manifest: string, version: string): Promise<void> {
  const text = await readFile(manifest, 'utf8');
  await writeFile(manifest, text.replaceAll(/("(?:@prisma\/[\w-]+|prisma)": )"[^"]+"/g, `$1"${version}"`));
}

async function createDatabase(serverUrl: string, name: string): Promise<string> {
  const client = new Client({ connectionString: serverUrl });
  await client.connect();
  await client.query(`CREATE DATABASE "${name}"`);
  await client.end();
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.toString();
}

/** Digests of everything that init may have written. */
function contents(directory: string): Record<string, string> {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && !/node_modules|generated/.test(entry.parentPath),
  );
  return Object.fromEntries(
    files.map(({ parentPath, name }) => {
      const file = path.join(parentPath, name);
      return [file, createHash('sha256').update(readFileSync(file)).digest('hex')];
    }),
  );
}

interface Event {
  readonly event_type: string;
  readonly metadata: {
    readonly aggregate_id: string;
    readonly actor: string | null;
    readonly correlation_id: string | null;
    readonly sequence: string;
  };
}

async function readEvents(
  tool: (args: readonly string[], env: Environment) => Promise<string>,
  env: Environment,
  count: number,
): Promise<Event[]> {
  const args = [
    'signalbox',
    'console',
    '--from-beginning',
    '--wait',
    '--format',
    'json',
    '--limit',
    String(count),
  ];
  const lines = (await tool(args, env)).trim().split('\n');
  const events = lines.map((line) => JSON.parse(line) as Event | { readonly value: Event });
  return events.map((event) => ('value' in event ? event.value : event));
}

/** The same events, and those of each aggregate in the same order. */
function compare(expected: readonly Expected[], events: readonly Event[]): void {
  const inOrder = [...events].sort((a, b) =>
    Number(BigInt(a.metadata.sequence) - BigInt(b.metadata.sequence)),
  );
  const given = new Set(expected.map(({ correlationId }) => correlationId));
  const seen = inOrder.map(({ event_type: type, metadata }) => ({
    type,
    id: metadata.aggregate_id,
    actor: metadata.actor,
    correlationId: given.has(metadata.correlation_id ?? undefined) ? metadata.correlation_id : null,
  }));
  const wanted = expected.map(({ type, id, actor = null, correlationId = null }) => ({
    type,
    id,
    actor,
    correlationId,
  }));
  const grouped = (all: readonly { readonly id: string }[]): unknown =>
    all.toSorted((a, b) => (a.id < b.id ? -1 : Number(a.id > b.id)));
  if (!isDeepStrictEqual(grouped(seen), grouped(wanted)))
    throw new Error(`Expected ${JSON.stringify(wanted)} and saw ${JSON.stringify(seen)}`);
}

/** Runs the consumer until it has greeted every user, and looks that each was greeted once. */
async function greet(adoption: Adoption, env: Environment, users: number): Promise<void> {
  const consumers = await start(installed(adoption.directory, 'signalbox'), ['consumers'], {
    ...adoption,
    env: { ...env, CONSUMERS_PORT: String(await findFreePort()) },
  });
  const client = new Client({ connectionString: env['DATABASE_URL'] });
  await client.connect();
  try {
    const deadline = Date.now() + 60_000;
    for (;;) {
      const { rows } = await client.query<{ n: number }>(
        "SELECT count(*)::int AS n FROM signalbox.inbox WHERE consumer = 'welcome'",
      );
      if (rows[0]?.n === users) return;
      if (consumers.ended() || Date.now() > deadline)
        throw new Error(
          `The consumer greeted ${rows[0]?.n} of ${users} users. It printed:\n${consumers.output()}`,
        );
      await sleep(100);
    }
  } finally {
    await client.end();
    await consumers.stop();
  }
}
