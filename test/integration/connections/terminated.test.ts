import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { createRelayPool } from '../../../src/relay/pool';
import { Waker } from '../../../src/relay/waker';
import { createCapturedClient } from '../../../src/healthcore/capturedClient';
import { Nudger } from '../../../src/outbox/nudger';
import { createConnection, createPool } from '../../../src/shared/database';
import { createPrismaClient } from '../../../src/healthcore/createPrismaClient';
import { migrate, pendingMigrations } from '../../../src/shared/migrate/migrate';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { effort } from '../../support/effort';
import { silentLogger } from '../../support/logger';
import { waitFor } from '../../support/waitFor';

/*
 * An event "error" of a connection to which nothing listens ends the process; jest fails the test in which it happens.
 */

const logger = silentLogger();
const rounds = effort(60, 1_000);

describe('a server that lets a connection in and ends it in the same breath', () => {
  let server: Server;
  let databaseUrl: string;

  /** What Postgres sends when it is told to stop at the moment at which a session has begun. */
  const word = (type: string, body: Buffer): Buffer => {
    const head = Buffer.alloc(5);
    head.write(type);
    head.writeInt32BE(body.length + 4, 1);
    return Buffer.concat([head, body]);
  };
  const breath = Buffer.concat([
    word('R', Buffer.alloc(4)),
    word('K', Buffer.alloc(8)),
    word('Z', Buffer.from('I')),
    word(
      'E',
      Buffer.from('SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0\0'),
    ),
  ]);

  beforeAll(async () => {
    server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end(breath));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    databaseUrl = `postgresql://me@127.0.0.1:${(server.address() as AddressInfo).port}/d`;
  });
  afterAll(() => server.close());

  const options = (more = {}) => ({ databaseUrl, poolSize: 2, applicationName: 'ended', logger, ...more });
  /** Long enough for every event of a connection to come. */
  const settled = () => sleep(50);

  it.each([true, false])(
    'fails a statement and a transaction of Prisma, not the process (prepared: %s)',
    async (preparedStatements) => {
      const prisma = createPrismaClient(options({ preparedStatements }));
      for (let n = 0; n < 5; n += 1) {
        await expect(prisma.patient.findMany()).rejects.toThrow();
        await expect(prisma.$transaction((tx) => tx.patient.findMany())).rejects.toThrow();
        await expect(prisma.$transaction([prisma.patient.findMany()])).rejects.toThrow();
      }
      await settled();
      await prisma.$disconnect();
    },
  );

  it('fails what asks the pools and single connections, not the process', async () => {
    const pools = [createPool(options()), createRelayPool(databaseUrl, 5_000, logger)];
    for (const pool of pools) {
      await pool.query('SELECT 1').catch(() => undefined);
      const client = await pool.connect().catch(() => undefined);
      await settled();
      await client?.query('SELECT 1').catch(() => undefined);
      client?.release();
      await pool.end();
    }
    const single = createConnection(options());
    await single.connect().catch(() => undefined);
    await settled();
    await single.end();
  });

  it('fails migrations with one line', async () => {
    const directory = 'prisma/migrations';
    await expect(migrate({ databaseUrl, directory, logger })).rejects.toThrow();
    await expect(pendingMigrations({ databaseUrl, directory })).rejects.toThrow();
    await settled();
  });

  it('makes those that notify and listen try again', async () => {
    const nudger = new Nudger({ databaseUrl, intervalMs: 1, logger });
    const waker = new Waker({ databaseUrl, onWake: () => undefined, logger });
    await Promise.all([nudger.start(), waker.start()]);
    nudger.nudge();
    await sleep(300);
    await Promise.all([nudger.stop(), waker.stop()]);
  });
});

describe.each([
  ['middleware', true],
  ['middleware', false],
  ['trigger', true],
  ['trigger', false],
] as const)(
  'backends that are terminated at any moment (%s engine, prepared statements: %s)',
  (engine, preparedStatements) => {
    let database: TestDatabase;
    let admin: Client;
    beforeAll(async () => {
      database = await createTestDatabase();
      admin = new Client({ connectionString: database.url });
      await admin.connect();
    });
    afterAll(async () => {
      await admin.end();
      await database.assertNoLeaks();
      await database.drop();
    });

    it(`leave all programs running, and no change without its event: ${rounds} times`, async () => {
      const databaseUrl = database.url;
      const options = { databaseUrl, poolSize: 3, applicationName: 'storm', logger, preparedStatements };
      const capture = { source: 'test', logger };
      const api = await createCapturedClient(engine, options, capture);
      const consumers = await createCapturedClient(engine, options, capture);
      const relay = createRelayPool(databaseUrl, 10_000, logger);
      const nudger = new Nudger({ databaseUrl, intervalMs: 1, logger });
      let wakeUps = 0;
      const waker = new Waker({ databaseUrl, onWake: () => (wakeUps += 1), logger });
      await Promise.all([nudger.start(), waker.start()]);
      const storm = { goesOn: true };
      let nr = 0;
      const repeat = async (work: () => PromiseLike<unknown>): Promise<void> => {
        while (storm.goesOn) await Promise.resolve(work()).catch(() => sleep(1));
      };
      const patient = () => ({ data: { name: 'Ann', email: `ann${(nr += 1)}@example.com` } });
      const programs = [
        ...[1, 2].map(() => repeat(() => api.patient.create(patient()))),
        repeat(() =>
          consumers.$transaction(async (tx) => {
            await tx.patient.create(patient());
            await tx.$queryRawUnsafe('SELECT 1');
          }),
        ),
        repeat(() => consumers.patient.findMany({ take: 1 })),
        repeat(() => relay.query('SELECT count(*) FROM signalbox.lane')),
        repeat(async () => {
          const client = await relay.connect();
          try {
            await client.query('BEGIN');
            await client.query('SELECT 1');
            await client.query('COMMIT');
          } finally {
            client.release();
          }
        }),
      ];
      const kill = `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`;
      for (let round = 0; round < rounds; round += 1) {
        nudger.nudge();
        await sleep(Math.random() * 20);
        await admin.query(kill);
      }
      storm.goesOn = false;
      await Promise.all(programs);
      // All of them work again.
      await waitFor(
        () =>
          api.patient.create(patient()).then(
            () => true,
            () => false,
          ),
        { what: 'the API to write' },
      );
      await waitFor(
        () =>
          consumers.patient.create(patient()).then(
            () => true,
            () => false,
          ),
        { what: 'the consumers to write' },
      );
      await relay.query('SELECT 1');
      const heard = wakeUps;
      await waitFor(
        () => {
          nudger.nudge();
          return Promise.resolve(wakeUps > heard);
        },
        { what: 'a wake-up' },
      );
      const { rows } = await admin.query<{ patients: number; events: number }>(
        `SELECT (SELECT count(*) FROM patients)::int AS patients, (SELECT count(*) FROM signalbox.outbox)::int AS events`,
      );
      expect(rows[0]?.patients).toBeGreaterThan(1);
      expect(rows[0]?.events).toBe(rows[0]?.patients);
      await Promise.all([nudger.stop(), waker.stop()]);
      await Promise.all([api.$disconnect(), consumers.$disconnect(), relay.end()]);
    }, 120_000);
  },
);
