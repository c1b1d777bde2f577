/** Clients of both engines on one migrated database, and a view of the outbox past all of our code. */
import { catalogue } from '../../../src/healthcore/catalogue';
import { type Prisma, PrismaClient } from '../../../src/generated/prisma/client';
import type { CapturedClient } from '../../../src/healthcore/capturedClient';
import { withCapture } from '../../../src/outbox/prisma/middleware/extension';
import type { CaptureEngineName } from '../../../src/outbox/prisma/engineName';
import { withSignals } from '../../../src/outbox/prisma/trigger/withSignals';
import { contextComments } from '../../../src/outbox/prisma/contextComments';
import { createAdapter } from '../../../src/outbox/prisma/adapter/createAdapter';
import { markedComments, silentStatements } from '../../../src/outbox/prisma/statementComments';
import { createTestDatabase } from '../../support/database';
import { silentLogger } from '../../support/logger';
import { connect, type TestConnection } from '../trigger/support';

export const engines: readonly CaptureEngineName[] = ['middleware', 'trigger'];

type Extend = (client: PrismaClient) => unknown;

export interface ClientOptions extends Omit<Prisma.PrismaClientOptions, 'adapter' | 'accelerateUrl'> {
  readonly poolSize?: number;
  /** The account that connects; by default the owner of everything. */
  readonly role?: string;
  /** Applied before capture, and after it. */
  readonly before?: Extend;
  readonly after?: Extend;
}

export interface Clinic {
  readonly url: string;
  readonly prisma: CapturedClient;
  /** The same Prisma without any capture: what it writes has no events. */
  readonly plain: PrismaClient;
  readonly db: TestConnection;
  /** Another captured client of this engine, closed with the clinic. */
  another(options?: ClientOptions): Promise<CapturedClient>;
  anotherPlain(options?: ClientOptions): PrismaClient;
  /** Empties the tables and forgets the events so far. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

/** Opens a database with the shipped migrations and clients of one engine. */
export async function openClinic(engine: CaptureEngineName): Promise<Clinic> {
  const database = await createTestDatabase();
  const db = await connect(database.url);
  const opened: PrismaClient[] = [];
  const client = (
    comments: unknown[],
    { poolSize = 4, role, before: _b, after: _a, ...rest }: ClientOptions = {},
  ): PrismaClient => {
    const url = new URL(database.url);
    if (role !== undefined) url.username = role;
    const adapter = createAdapter({
      databaseUrl: url.toString(),
      poolSize,
      applicationName: engine,
      logger: silentLogger(),
    });
    opened.push(new PrismaClient({ ...rest, comments, adapter } as never));
    return opened.at(-1) as PrismaClient;
  };
  const settings = { catalogue, source: 'clinic', logger: silentLogger() };
  const another = async (options: ClientOptions = {}): Promise<CapturedClient> => {
    const { before = (given) => given, after = (given) => given } = options;
    const stamped = engine === 'trigger' ? contextComments({ source: 'clinic' }) : markedComments();
    const base = before(client([stamped], options)) as PrismaClient;
    const captured = engine === 'trigger' ? await withSignals(base, settings) : withCapture(base, settings);
    return after(captured) as CapturedClient;
  };
  const anotherPlain = (options?: ClientOptions): PrismaClient => client([silentStatements.comment], options);
  return {
    url: database.url,
    prisma: await another(),
    plain: anotherPlain(),
    db,
    another,
    anotherPlain,
    clear: async () => {
      await db.run('DELETE FROM appointments');
      await db.run('DELETE FROM patients');
      await db.events();
    },
    close: async () => {
      await Promise.all(opened.map((each) => each.$disconnect()));
      await db.client.end();
      await database.assertNoLeaks();
      await database.drop();
    },
  };
}

/** Opened by one who lets others pass. */
export class Gate {
  open: () => void = () => undefined;
  readonly opened = new Promise<void>((resolve) => {
    this.open = resolve;
  });
}
