import type { Pool } from 'pg';
import type { Logger } from 'pino';
import { createPool, createPrismaClient } from '../../src/shared/database';
import type { StatementComments } from '../../src/shared/statementComments';
import type { PrismaClient } from '../../src/generated/prisma/client';
import { type CapturedClient, withCapture } from '../../src/outbox/capture/extension';
import { withTriggerCapture } from '../../src/outbox/trigger/capture';
import { contextComments } from '../../src/outbox/trigger/comments';
import { type NewPatient, newPatient } from './scenarios';

/** One way of writing, on a database of its own. */
export interface Variant {
  readonly name: string;
  readonly create?: (patient: NewPatient) => Promise<unknown>;
  readonly update?: (id: string, phone: string) => Promise<unknown>;
  readonly createMany?: (patients: NewPatient[]) => Promise<unknown>;
  readonly updateMany?: (ids: string[], phone: string) => Promise<unknown>;
  /** Adds rows to update and returns their ids, sorted. */
  readonly seed: (count: number) => Promise<string[]>;
  readonly close: () => Promise<void>;
}

export interface VariantOptions {
  readonly databaseUrl: string;
  readonly logger: Logger;
}

interface Recipe {
  readonly name: string;
  /** Whether the database has the triggers. */
  readonly triggers: boolean;
  open(options: VariantOptions): Promise<Variant>;
}

const poolSize = 16;
const appendOne = `INSERT INTO signalbox.outbox
    (lane, event_type, event_version, aggregate_type, aggregate_id, source, correlation_id, actor, data)
  VALUES (signalbox.lane_of($1), $2, '1.0', 'patient', $1, 'bench', $3, 'user:4711', $4::json)`;

function prismaVariant(
  name: string,
  prisma: PrismaClient | CapturedClient,
  close: () => Promise<void>,
): Variant {
  return {
    name,
    create: (data) => prisma.patient.create({ data }),
    update: (id, phone) => prisma.patient.update({ where: { id }, data: { phone } }),
    createMany: (data) => prisma.patient.createMany({ data }),
    updateMany: (ids, phone) =>
      prisma.patient.updateMany({
        where: { id: { gte: ids[0] ?? '', lte: ids.at(-1) ?? '' } },
        data: { phone },
      }),
    seed: async (count) => {
      const patients = Array.from({ length: count }, newPatient);
      await prisma.patient.createMany({ data: patients });
      return patients.map(({ id }) => id).sort((a, b) => (a < b ? -1 : 1));
    },
    close,
  };
}

function openPrisma({ databaseUrl, logger }: VariantOptions, comments: StatementComments[]): PrismaClient {
  return createPrismaClient({ databaseUrl, logger, poolSize, applicationName: 'bench', comments });
}

const json = JSON.stringify;

/** What most services do by hand: an interactive transaction around the write and the insert into the outbox. */
async function handWritten(options: VariantOptions): Promise<Variant> {
  const prisma = openPrisma(options, []);
  const plain = prismaVariant('', prisma, () => prisma.$disconnect());
  return {
    name: 'hand-written transaction',
    create: (data) =>
      prisma.$transaction(async (tx) => {
        const { id, name, email, phone } = await tx.patient.create({ data });
        const event = json({ patient_id: id, name, email, phone });
        await tx.$executeRawUnsafe(appendOne, id, 'patient.created', 'request', event);
      }),
    update: (id, phone) =>
      prisma.$transaction(async (tx) => {
        const before = await tx.patient.findUniqueOrThrow({ where: { id } });
        const after = await tx.patient.update({ where: { id }, data: { phone } });
        const changed = before.phone === after.phone ? [] : ['phone'];
        const event = json({
          patient_id: id,
          name: after.name,
          email: after.email,
          phone,
          changed_fields: changed,
        });
        await tx.$executeRawUnsafe(appendOne, id, 'patient.updated', 'request', event);
      }),
    seed: plain.seed,
    close: plain.close,
  };
}

/** The same as a batch: possible where the event is known before the row is written. */
async function handWrittenBatch(options: VariantOptions): Promise<Variant> {
  const prisma = openPrisma(options, []);
  const plain = prismaVariant('', prisma, () => prisma.$disconnect());
  return {
    name: 'hand-written batch',
    create: (data) => {
      const event = json({ patient_id: data.id, name: data.name, email: data.email, phone: data.phone });
      return prisma.$transaction([
        prisma.patient.create({ data }),
        prisma.$executeRawUnsafe(appendOne, data.id, 'patient.created', 'request', event),
      ]);
    },
    seed: plain.seed,
    close: plain.close,
  };
}

/** Postgres without Prisma and without an outbox. */
async function barePg({ databaseUrl, logger }: VariantOptions): Promise<Variant> {
  const pool = createPool({ databaseUrl, logger, poolSize, applicationName: 'bench' });
  return {
    name: 'bare pg, no outbox',
    create: ({ id, name, email, phone }) =>
      pool.query(
        'INSERT INTO patients (id, name, email, phone, updated_at) VALUES ($1, $2, $3, $4, now()) RETURNING *',
        [id, name, email, phone],
      ),
    update: (id, phone) =>
      pool.query('UPDATE patients SET phone = $2, updated_at = now() WHERE id = $1 RETURNING *', [id, phone]),
    seed: (count) => seedByPg(pool, count),
    close: () => pool.end(),
  };
}

async function seedByPg(pool: Pool, count: number): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>(
    `INSERT INTO patients (id, name, email, updated_at)
     SELECT gen_random_uuid(), 'Bench Patient', gen_random_uuid()::text, now() FROM generate_series(1, $1) RETURNING id`,
    [count],
  );
  return rows.map(({ id }) => id).sort((a, b) => (a < b ? -1 : 1));
}

const onPrisma = (name: string, triggers: boolean, comments: StatementComments[]): Recipe => ({
  name,
  triggers,
  open: async (options) => {
    const prisma = openPrisma(options, comments);
    return prismaVariant(name, prisma, () => prisma.$disconnect());
  },
});

const middleware: Recipe = {
  name: 'engine "middleware"',
  triggers: false,
  open: async (options) => {
    const base = createPrismaClient({ ...options, poolSize, applicationName: 'bench' });
    const prisma = withCapture(base, { source: 'bench', logger: options.logger });
    return prismaVariant('engine "middleware"', prisma, () => base.$disconnect());
  },
};

const trigger: Recipe = {
  name: 'engine "trigger"',
  triggers: true,
  open: async (options) => {
    const base = openPrisma(options, [contextComments({ source: 'bench' })]);
    const prisma = await withTriggerCapture(base, { source: 'bench', logger: options.logger });
    return prismaVariant('engine "trigger"', prisma, () => base.$disconnect());
  },
};

/** The order is that of the table. */
export const recipes: readonly Recipe[] = [
  { name: 'bare pg, no outbox', triggers: false, open: barePg },
  onPrisma('Prisma, no outbox', false, []),
  trigger,
  onPrisma('engine "trigger", no context', true, []),
  middleware,
  { name: 'hand-written batch', triggers: false, open: handWrittenBatch },
  { name: 'hand-written transaction', triggers: false, open: handWritten },
];
