import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import type { PrismaClient } from '../../../src/generated/prisma/client';
import { type EventContext, withContext } from '../../../src/outbox/context';
import { contextComments } from '../../../src/outbox/prisma/contextComments';
import { createPrismaClient } from '../../../src/healthcore/createPrismaClient';
import { silentLogger } from '../../support/logger';
import { serverNames, startServer, type TestConnection, type TriggerServer } from './support';

describe.each(serverNames)('the context in the comment of a statement, on %s', (name) => {
  let server: TriggerServer;
  let db: TestConnection;
  let prisma: PrismaClient;

  beforeAll(async () => {
    server = await startServer(name);
    db = await server.open();
    prisma = createPrismaClient({
      databaseUrl: db.url,
      poolSize: 2,
      applicationName: 'context test',
      logger: silentLogger(),
      comments: [contextComments({ source: 'clinic' })],
    });
  });
  afterAll(async () => {
    await prisma.$disconnect();
    await server.stop();
  });

  const create = (): Promise<unknown> =>
    prisma.patient.create({ data: { name: 'Ann', email: `${randomUUID()}@example.com` } });
  const within = async (context: EventContext): Promise<Record<string, unknown> | undefined> => {
    // Not `create` itself: Prisma starts an operation when it is awaited, and that must happen inside.
    await withContext(context, async () => await create());
    return { ...(await db.events())[0] };
  };
  /** The mark, source, correlation id, causation id, actor and traceparent. */
  const read = async (statement: string | null): Promise<(string | null)[]> => {
    const rows = await db.run<{ found: (string | null)[] }>(
      `SELECT ARRAY[c[1], c[8], c[6], c[4], c[2], c[10]] AS found FROM signalbox.statement_context($1) AS c
        WHERE cardinality(c) = 11`,
      [statement],
    );
    return rows[0]?.found ?? [];
  };
  const nothing = [null, 'trigger test', null, null, null, null];

  it('reaches the event', async () => {
    const context = {
      correlationId: 'req-1',
      causationId: randomUUID(),
      actor: 'user:42/admin',
      traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    };
    expect(await within(context)).toMatchObject({
      source: 'clinic',
      correlation_id: context.correlationId,
      causation_id: context.causationId,
      actor: context.actor,
      traceparent: context.traceparent,
    });
    expect(await within({})).toMatchObject({ source: 'clinic', correlation_id: null, actor: null });
  });

  it.each([
    `*/; DROP TABLE patients; --`,
    `/* nested */`,
    `it's, "quoted"',actor='evil`,
    `back\\slash\\'`,
    `signalbox='middleware'`,
    `100 %, %41, %zz, %`,
    `ünïcödé 漢字 🩺 \u202E`,
    ` \t\r\n`,
    `!*()~-_.`,
  ])('carries the value %j letter for letter, and no value breaks out', async (actor) => {
    expect(await within({ actor, correlationId: actor })).toMatchObject({ actor, correlation_id: actor });
    await db.run('SELECT 1 FROM patients');
  });

  it('carries any text', async () => {
    const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 25 }).filter((s) => !s.includes('\0'));
    await fc.assert(
      fc.asyncProperty(text, async (actor) => {
        expect((await within({ actor }))?.['actor']).toBe(actor);
      }),
      { numRuns: 60 },
    );
  });

  it('stays with its request when many are served at a time', async () => {
    const ids = Array.from({ length: 40 }, (_, n) => `req-${n}`);
    await Promise.all(
      ids.map((correlationId) =>
        withContext({ correlationId }, async () => {
          const { id } = await prisma.patient.create({
            data: { name: correlationId, email: `${randomUUID()}@example.com` },
          });
          await prisma.patient.update({ where: { id }, data: { phone: '1' } });
        }),
      ),
    );
    const events = await db.events();
    expect(events).toHaveLength(80);
    for (const { data, correlation_id } of events) expect(correlation_id).toBe(data['name']);
  });

  it('is on raw SQL, on batches and in transactions', async () => {
    await withContext({ correlationId: 'raw' }, async () => {
      await create();
      await prisma.$executeRaw`UPDATE patients SET phone = 'raw'`;
      await prisma.$transaction([prisma.patient.updateMany({ data: { phone: 'batch' } })]);
      await prisma.$transaction((tx) => tx.patient.deleteMany());
    });
    const events = await db.events();
    expect(new Set(events.map(({ event_type }) => event_type)).size).toBe(3);
    expect(new Set(events.map(({ correlation_id }) => correlation_id))).toEqual(new Set(['raw']));
  });

  it('is that of the statement at the top when a function writes', async () => {
    await db.run(`DO $$ BEGIN INSERT INTO patients (id, name, email, updated_at)
      VALUES (gen_random_uuid(), 'F', gen_random_uuid()::text, now()); END $$ /*actor='job%3Anight'*/;`);
    expect(await db.events()).toMatchObject([{ actor: 'job:night', source: 'trigger test' }]);
  });

  it.each([
    'UPDATE patients SET name = $1',
    `UPDATE patients SET name = '/*actor=''evil''*/'`,
    `UPDATE patients SET name = 'x' /*actor='unfinished`,
    `UPDATE patients SET name = 'x' /*actor=evil*/`,
    `/*actor='at the start'*/ UPDATE patients SET name = 'x'`,
    `UPDATE patients SET a='x',actor='evil'*/`,
    `UPDATE x /*actor='a'*/ WHERE true`,
    `*/`,
    `'*/`,
    `/**/`,
    ``,
  ])('is nothing where the comment is none or malformed: %j', async (statement) => {
    expect(await read(statement)).toEqual(nothing);
  });

  it('is looked for at the end of a long statement, and only there', async () => {
    const long = 'x'.repeat(100_000);
    expect((await read(`SELECT '${long}' /*actor='a'*/`))[4]).toBe('a');
    expect(await read(`${long} -- '*/`)).toEqual(nothing);
    expect(await read(`UPDATE x /*pad='${long}',actor='far'*/`)).toEqual(nothing);
  });

  it('is nothing where there is no statement', async () => {
    expect(await read(null)).toEqual(nothing);
  });

  it('is read from the last comment, among the keys of others, with a semicolon behind it', async () => {
    const statement = `UPDATE x /*actor='first'*/ SET y /*an_actor='no',actor='yes',actor_2='no',route='%2F'*/ ; \n`;
    expect(await read(statement)).toEqual([null, 'trigger test', null, null, 'yes', null]);
  });

  it.each([
    ['%', null],
    ['%4', null],
    ['%zz', null],
    ['a%00b', null],
    ['%ff', null],
    ['%c3', null],
    ['%C3%A9%c3%a9', 'éé'],
    ['%ed%a0%80', null],
    ['%2541', '%41'],
    ['a+b', 'a+b'],
    [`\\'`, `'`],
  ])('decodes the value %j to %j and never fails', async (value, expected) => {
    expect((await read(`UPDATE x /*actor='${value}'*/`))[4]).toBe(expected);
  });

  it('never fails a write, whatever stands at the end of the statement', async () => {
    const piece = fc.constantFrom(
      `'`,
      `*/`,
      '/*',
      '%',
      '%4',
      '%C3',
      ',',
      `actor='`,
      `source='`,
      '\\',
      'é',
      ' ',
      `'*/`,
    );
    const noise = fc.array(fc.oneof(piece, fc.string({ unit: 'grapheme', maxLength: 3 })), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(noise, async (pieces) => {
        const statement = pieces.join('').replaceAll('\0', '');
        expect(await read(statement)).toHaveLength(6);
        expect(await read(`${statement}'*/`)).toHaveLength(6);
      }),
      { numRuns: 150 },
    );
  });

  it('names a source even where the comment names none that can be read', async () => {
    for (const source of ['', '%', '%ff'])
      expect((await read(`UPDATE x /*actor='a',source='${source}'*/`))[1]).toBe('trigger test');
  });

  it('is read from a comment of ours without looking for each key, as long as nothing in it is encoded', async () => {
    const definition = await db.run<{ sql: string }>(
      `SELECT pg_get_functiondef('signalbox.statement_context(text)'::regprocedure) AS sql`,
    );
    await db.run(`CREATE OR REPLACE FUNCTION signalbox.statement_context(statement text) RETURNS text[]
      LANGUAGE plpgsql STABLE PARALLEL SAFE AS 'BEGIN RAISE EXCEPTION ''asked''; END'`);
    try {
      const context = { actor: 'user:42', correlationId: randomUUID() };
      expect(await within(context)).toMatchObject({ actor: 'user:42', source: 'clinic', causation_id: null });
      await expect(within({ actor: 'ü' })).rejects.toThrow('asked');
    } finally {
      await db.run(definition[0]?.sql ?? '');
    }
  });

  it('is the same, whether a comment is recognised as a whole or looked through key by key', async () => {
    const value = fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom('', 'a', 'user%3A42', 'x y', 'é', '/', '%_') },
      { weight: 1, arbitrary: fc.constantFrom('\\', `\\'`, `'`, '%', '%41', `',source='b`, '/*', '*/', ';') },
    );
    const ours = ['actor', 'causation_id', 'correlation_id', 'source', 'traceparent'];
    const keys = fc.oneof(
      { weight: 3, arbitrary: fc.constant(ours) },
      fc.subarray([...ours, 'route', 'causationXid'], { minLength: 1 }),
      fc.shuffledSubarray(ours),
    );
    const parts = keys.chain((names) => fc.tuple(...names.map((key) => fc.tuple(fc.constant(key), value))));
    const end = fc.constantFrom('*/', '*/', '*/', '*/ ', '*/;', '', `'*/`, ' */');
    await fc.assert(
      fc.asyncProperty(parts, end, async (pairs, ending) => {
        const comment = `/*${pairs.map(([key, text]) => `${key}='${text}'`).join(',')}${ending}`;
        const statement = `INSERT INTO patients (id, name, email, updated_at)
          VALUES (gen_random_uuid(), 'F', gen_random_uuid()::text, now()) ${comment}`;
        const expected = await read(statement);
        // Not every such end is SQL, and what Postgres refuses is never captured.
        await db.run(statement).catch((error: { code?: string }) => expect(error.code).toBe('42601'));
        const events = await db.events();
        for (const { source, correlation_id, causation_id, actor, traceparent } of events)
          expect([source, correlation_id, causation_id, actor, traceparent]).toEqual(expected.slice(1));
      }),
      { numRuns: 200 },
    );
  });

  it('means the same under awkward settings of the session', async () => {
    const statement = `UPDATE x /*actor='%C3%A9\\'',source='s'*/`;
    const plain = await read(statement);
    await db.run(
      `SET standard_conforming_strings = off; SET bytea_output = 'escape'; SET backslash_quote = off`,
    );
    expect(await read(statement)).toEqual(plain);
    await db.run('DISCARD ALL');
    expect(plain).toEqual([null, 's', null, null, `é'`, null]);
  });
});
