import { randomUUID } from 'node:crypto';
import { Pool } from 'pg';
import type { PrismaClient } from '../../../src/generated/prisma/client';
import { withContext } from '../../../src/outbox/context';
import { contextComments } from '../../../src/outbox/prisma/contextComments';
import { sessionOf } from '../../../src/shared/connections/session';
import { createPrismaClient } from '../../../src/healthcore/createPrismaClient';
import { capturedStatements, type StatementComments } from '../../../src/outbox/prisma/statementComments';
import { preparingClient } from '../../../src/outbox/prisma/adapter/statements/preparingClient';
import { type CapturedLog, captureLogger } from '../../support/logger';
import { startServer, type TestConnection, type TriggerServer } from '../trigger/support';

describe('prepared statements', () => {
  let server: TriggerServer;
  let db: TestConnection;
  let log: CapturedLog;
  const opened: PrismaClient[] = [];

  beforeAll(async () => {
    server = await startServer('embedded');
    db = await server.open();
  });
  beforeEach(() => (log = captureLogger()));
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((client) => client.$disconnect()));
    await db.events();
  });
  afterAll(() => server.stop());

  /** One connection, so that the same session can be asked what it has prepared. */
  const open = (
    comments: StatementComments[] = [contextComments({ source: 'clinic' })],
    more: { poolSize?: number; preparedStatements?: boolean } = {},
  ): PrismaClient => {
    const client = createPrismaClient({
      databaseUrl: db.url,
      poolSize: 1,
      applicationName: 'preparing',
      logger: log.logger,
      comments,
      ...more,
    });
    opened.push(client);
    return client;
  };
  const create = (client: Pick<PrismaClient, 'patient'>, email = `${randomUUID()}@example.com`) =>
    client.patient.create({ data: { name: 'Ann', email } });
  const times = async (count: number, work: () => PromiseLike<unknown>): Promise<void> => {
    for (let n = 0; n < count; n++) await work();
  };
  const prepared = async (client: PrismaClient): Promise<string[]> => {
    const rows = await client.$queryRawUnsafe<{ statement: string }[]>(
      'SELECT statement FROM pg_prepared_statements ORDER BY prepare_time',
    );
    return rows.map(({ statement }) => statement);
  };
  const insertion = /^INSERT INTO "public"."patients" [^/]*$/;

  it('are those that come again, in whosever name they come', async () => {
    const client = open();
    for (const actor of ['a', 'b', 'c', 'd', 'e', 'f', 'g'])
      await withContext({ actor, correlationId: randomUUID() }, async () => await create(client));
    expect((await prepared(client)).filter((statement) => insertion.test(statement))).toHaveLength(1);
    expect((await db.events()).map(({ actor }) => actor)).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g']);
  });

  it('keep the mark of the engine "middleware", which the triggers honour', async () => {
    const client = open([capturedStatements.comment]);
    await times(8, () => create(client));
    expect(await prepared(client)).toContainEqual(
      expect.stringMatching(/signalbox='middleware\.patients'\*\/$/),
    );
    expect(await db.events()).toEqual([]);
  });

  it('are none where they are switched off', async () => {
    const client = open(undefined, { preparedStatements: false });
    await withContext({ actor: 'a' }, () => times(8, () => create(client)));
    expect(await prepared(client)).toEqual([]);
    expect(new Set((await db.events()).map(({ actor }) => actor))).toEqual(new Set(['a']));
  });

  it('tell each event its own context, plain or not, in transactions and outside', async () => {
    const client = open(undefined, { poolSize: 3 });
    const actors = Array.from(
      { length: 60 },
      (_, n) => `${['user:', '100% ', "it's ", '🩺', ''][n % 5]}${n}`,
    );
    await Promise.all(
      actors.map((actor, n) =>
        withContext({ actor }, async () => {
          const data = { name: actor, email: `${randomUUID()}@example.com` };
          if (n % 2 === 0) await client.$transaction((tx) => tx.patient.create({ data }));
          else await client.patient.create({ data });
        }),
      ),
    );
    const events = await db.events();
    expect(events).toHaveLength(60);
    for (const { actor, data } of events) expect(actor).toBe(data['name']);
  });

  it('leave no context behind: not for the next transaction, and not for a comment of its own', async () => {
    const client = open();
    const silent = open([]);
    await times(8, () => withContext({ actor: 'user:1' }, async () => await create(client)));
    await client.$transaction(async (tx) => {
      await withContext({ actor: 'user:1' }, async () => await create(tx));
      await withContext({ actor: '100 %' }, async () => await create(tx));
      await withContext({ actor: 'user:3' }, async () => await create(tx));
    });
    await create(client);
    await create(silent);
    const events = await db.events();
    expect(events.slice(8).map(({ actor }) => actor)).toEqual(['user:1', '100 %', 'user:3', null, null]);
    expect(events.slice(-2).map(({ source }) => source)).toEqual(['clinic', 'preparing']);
  });

  it('answer as others do: rows, counts and errors, of the first statement of a session too', async () => {
    const email = `${randomUUID()}@example.com`;
    await create(open(), email);
    const client = open();
    await withContext({ actor: 'a' }, async () => {
      await expect(create(client, email)).rejects.toMatchObject({ code: 'P2002' });
      for (let n = 0; n < 8; n++) {
        const { id, name } = await create(client);
        expect(name).toBe('Ann');
        await expect(create(client, email)).rejects.toMatchObject({ code: 'P2002' });
        expect(await client.patient.updateMany({ where: { id }, data: { phone: '1' } })).toEqual({
          count: 1,
        });
        expect(await client.$executeRaw`UPDATE patients SET phone = ${String(n)} WHERE id = ${id}`).toBe(1);
        expect(await client.$queryRaw`SELECT phone FROM patients WHERE id = ${id}`).toEqual([
          { phone: String(n) },
        ]);
        expect(await client.patient.findUnique({ where: { id }, select: { phone: true } })).toEqual({
          phone: String(n),
        });
      }
    });
    expect((await db.events()).slice(1).every(({ actor }) => actor === 'a')).toBe(true);
  });

  it('are not taken for known to a connection whose first statement failed before it was prepared', async () => {
    const client = open(undefined, { poolSize: 2 });
    await times(8, () => create(client));
    /** On both connections: on the second one while the first is in a transaction. Those live on after an error. */
    const onBoth = (): Promise<unknown> =>
      client.$transaction(async (tx) => {
        await tx.$queryRaw`SELECT 1`;
        await client.$transaction((other) => create(other));
        await create(tx);
      });
    await db.run('ALTER TABLE patients RENAME COLUMN phone TO telephone');
    await expect(onBoth()).rejects.toMatchObject({ code: 'P2022' });
    await db.run('ALTER TABLE patients RENAME COLUMN telephone TO phone');
    await onBoth();
    await onBoth();
    expect(await db.events()).toHaveLength(12);
    expect(log.lines()).toEqual([]);
  });

  const openPool = (onLost: (error: Error) => void = fail): Pool => {
    const session = sessionOf({ databaseUrl: db.url, applicationName: 'preparing' });
    return new Pool({ max: 1, Client: preparingClient({ session, onLost }) });
  };
  const fail = (error: Error): void => {
    throw error;
  };

  it('are prepared also where their values come a second time, as Prisma before 7.9 gives them', async () => {
    const pool = openPool();
    const client = await pool.connect();
    const values = [1];
    for (let n = 0; n < 8; n++) await client.query({ text: 'SELECT $1::int AS twice', values }, values);
    const { rows } = await client.query('SELECT statement FROM pg_prepared_statements');
    expect(rows).toEqual([{ statement: 'SELECT $1::int AS twice' }]);
    client.release();
    await pool.end();
  });

  it('answer in each way in which pg can be asked', async () => {
    const lost: Error[] = [];
    const pool = openPool((error) => void lost.push(error));
    const text = 'SELECT $1::int AS n';
    for (let n = 0; n < 8; n++) {
      const found = { rows: [{ n }] };
      expect(await pool.query(text, [n])).toMatchObject(found);
      expect(await pool.query({ text, values: [n] })).toMatchObject(found);
      const client = await pool.connect();
      const called = new Promise((resolve) =>
        client.query({ text, values: [n] }, (_, result) => resolve(result)),
      );
      expect(await called).toMatchObject(found);
      expect(await client.query({ text }, [n])).toMatchObject(found);
      client.release();
    }
    await pool.end();
    expect(lost).toEqual([]);
  });

  it('are tried once more and no oftener, when it is not their own plan that is void', async () => {
    const client = open();
    await db.run(`CREATE FUNCTION void_plan(n int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN
      PERFORM nextval('void_plans');
      RAISE EXCEPTION 'prepared statement "theirs" does not exist' USING ERRCODE = '26000'; END $$`);
    await db.run('CREATE SEQUENCE void_plans');
    await expect(client.$queryRaw`SELECT void_plan(${1})`).rejects.toThrow('theirs');
    expect(await db.run('SELECT last_value::int AS calls FROM void_plans')).toEqual([{ calls: 2 }]);
    await db.run('DROP FUNCTION void_plan; DROP SEQUENCE void_plans');
  });

  describe('after a column has changed its type', () => {
    const change = async (type: string): Promise<unknown> =>
      db.run(`ALTER TABLE patients ALTER COLUMN phone TYPE ${type}`);
    afterEach(() => change('text'));

    it('are prepared again, and nobody notices outside a transaction', async () => {
      const client = open();
      await times(8, () => create(client));
      await change('varchar(80)');
      await times(3, () => create(client));
      expect((await prepared(client)).filter((statement) => insertion.test(statement))).toHaveLength(2);
      expect(await db.events()).toHaveLength(11);
    });

    it('fail a transaction once, which Postgres has aborted by then, and leave nothing of it', async () => {
      const client = open();
      await times(8, () => create(client));
      await db.events();
      await change('varchar(80)');
      const both = () =>
        client.$transaction(async (tx) => {
          await create(tx);
          await create(tx);
        });
      await expect(both()).rejects.toThrow('cached plan must not change result type');
      expect(await db.events()).toEqual([]);
      await both();
      expect(await db.events()).toHaveLength(2);
    });
  });

  it.each(['DISCARD ALL', 'DEALLOCATE ALL'])(
    'are given up, with a warning, when something between forgets them (%s)',
    async (forget) => {
      const client = open();
      await withContext({ actor: 'a' }, () => times(8, () => create(client)));
      await client.$executeRawUnsafe(forget);
      await withContext({ actor: 'b' }, () => times(8, () => create(client)));
      expect(await prepared(client)).toEqual([]);
      const events = await db.events();
      expect(events.map(({ actor }) => actor).join('')).toBe('a'.repeat(8) + 'b'.repeat(8));
      const warnings = log
        .entries()
        .filter(({ msg }) => String(msg).includes('DATABASE_PREPARED_STATEMENTS=false'));
      expect(warnings).toHaveLength(1);
    },
  );
});
