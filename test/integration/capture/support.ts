/** A database, a captured client on it, and a view of the outbox past all of our code. */
import { Pool } from 'pg';
import { catalogue } from '../../../src/healthcore/catalogue';
import { type Prisma, PrismaClient } from '../../../src/generated/prisma/client';
import type { CapturedClient } from '../../../src/healthcore/capturedClient';
import { withCapture } from '../../../src/outbox/prisma/middleware/extension';
import { createAdapter } from '../../../src/outbox/prisma/adapter/createAdapter';
import { markedComments } from '../../../src/outbox/prisma/statementComments';
import { createTestDatabase } from '../../support/database';
import { silentLogger } from '../../support/logger';

interface StoredRow {
  /** pg gives 64-bit integers as text. */
  position: string;
  txid: string;
  lane: number;
  event_id: string;
  event_type: string;
  event_version: string;
  aggregate_type: string;
  aggregate_id: string;
  source: string;
  correlation_id: string | null;
  causation_id: string | null;
  actor: string | null;
  traceparent: string | null;
  data: Record<string, unknown>;
}

export type OutboxRow = Omit<StoredRow, 'position'> & { position: bigint };

export interface Bench {
  /** The client that capture extends; what it writes itself is left to the triggers. */
  readonly plain: PrismaClient;
  readonly prisma: CapturedClient;
  readonly pool: Pool;
  readonly url: string;
  /** How often a commit has been told so far. */
  commits(): number;
  /** All events in the order of their positions. */
  events(): Promise<OutboxRow[]>;
  /** Their types, in the same order. */
  types(): Promise<string[]>;
  /** Empties tables and outbox. */
  clear(): Promise<void>;
  /** Another pair of clients on the same database, closed with the bench. */
  another(options?: ClientOptions): { plain: PrismaClient; prisma: CapturedClient };
  close(): Promise<void>;
}

export interface ClientOptions extends Omit<Prisma.PrismaClientOptions, 'adapter' | 'accelerateUrl'> {
  poolSize?: number;
  /** Applied before capture. */
  before?: (client: PrismaClient) => unknown;
}

export async function openBench(options: ClientOptions = {}): Promise<Bench> {
  const database = await createTestDatabase();
  const pool = new Pool({ connectionString: database.url, max: 4 });
  const opened: PrismaClient[] = [];
  let commits = 0;
  const another = ({ poolSize = 8, before, ...rest }: ClientOptions = {}) => {
    const adapter = createAdapter({
      databaseUrl: database.url,
      poolSize,
      applicationName: 'test',
      logger: silentLogger(),
    });
    const plain = new PrismaClient({
      comments: [markedComments()],
      ...rest,
      adapter,
    } as never) as PrismaClient;
    opened.push(plain);
    const extended = (before?.(plain) ?? plain) as PrismaClient;
    const settings = { catalogue, source: 'test', logger: silentLogger(), onCommitted: () => void commits++ };
    return { plain, prisma: withCapture(extended, settings) };
  };
  const events = async (): Promise<OutboxRow[]> => {
    const { rows } = await pool.query<StoredRow>('SELECT * FROM signalbox.outbox ORDER BY position');
    return rows.map((row) => ({ ...row, position: BigInt(row.position) }));
  };
  return {
    ...another(options),
    pool,
    url: database.url,
    commits: () => commits,
    events,
    types: async () => (await events()).map((row) => row.event_type),
    clear: async () => {
      // In one message, and so in one transaction; the triggers would refuse it.
      await pool.query(`SET LOCAL session_replication_role = replica;
        TRUNCATE appointments, patients, audit_log, signalbox.outbox CASCADE`);
      commits = 0;
    },
    another,
    close: async () => {
      await Promise.all(opened.map((client) => client.$disconnect()));
      await pool.end();
      await database.assertNoLeaks();
      await database.drop();
    },
  };
}

let serial = 0;

/** Data of a patient whose e-mail address nobody else has. */
export function person(name = 'Ada'): { name: string; email: string } {
  serial++;
  return { name, email: `patient-${process.pid}-${serial}@example.test` };
}

/** Data of an appointment whose practitioner nobody else has booked. */
export function visit(patientId: string): {
  patientId: string;
  practitioner: string;
  startsAt: Date;
  endsAt: Date;
} {
  serial++;
  return {
    patientId,
    practitioner: `dr-${serial}`,
    startsAt: new Date('2030-01-01T10:00:00.000Z'),
    endsAt: new Date('2030-01-01T10:30:00.000Z'),
  };
}
