import type { Logger } from 'pino';
import { PrismaPg } from '@prisma/adapter-pg';
import { PrismaClient } from '../../src/generated/prisma/client';
import type { CapturedClient } from '../../src/healthcore/capturedClient';
import { createPrismaClient } from '../../src/healthcore/createPrismaClient';
import type { StatementComments } from '../../src/outbox/prisma/statementComments';
import { type NewPatient, neighbours } from './scenarios';

/** One way of writing, on a database of its own. An operation that it does not have is left out of the table. */
export interface Variant {
  readonly name: string;
  readonly create?: (patient: NewPatient) => Promise<unknown>;
  readonly update?: (id: string, phone: string) => Promise<unknown>;
  readonly createMany?: (patients: NewPatient[]) => Promise<unknown>;
  readonly updateMany?: (ids: string[], phone: string) => Promise<unknown>;
  /** Adds rows to update and returns their ids, sorted; no other row's id lies between them. */
  readonly seed: (count: number) => Promise<string[]>;
  readonly close: () => Promise<void>;
}

export interface VariantOptions {
  readonly databaseUrl: string;
  readonly logger: Logger;
}

export const poolSize = 16;

/** Prisma as it comes, with its own adapter: what there was before. */
export function plainPrisma({ databaseUrl }: VariantOptions): PrismaClient {
  const adapter = new PrismaPg({ connectionString: databaseUrl, max: poolSize, application_name: 'bench' });
  return new PrismaClient({ adapter });
}

/** The base of a client with capture. */
export function openPrisma(
  { databaseUrl, logger }: VariantOptions,
  comments: StatementComments[],
): PrismaClient {
  return createPrismaClient({ databaseUrl, logger, poolSize, applicationName: 'bench', comments });
}

/** The rows from the first id to the last, as all variants name them. */
export const range = (ids: readonly string[]) => ({ id: { gte: ids[0] ?? '', lte: ids.at(-1) ?? '' } });

/** Writes by plain calls of a Prisma client, with capture or without. */
export function prismaVariant(
  name: string,
  prisma: PrismaClient | CapturedClient,
  close: () => Promise<void>,
): Variant {
  return {
    name,
    create: (data) => prisma.patient.create({ data }),
    update: (id, phone) => prisma.patient.update({ where: { id }, data: { phone } }),
    createMany: (data) => prisma.patient.createMany({ data }),
    updateMany: (ids, phone) => prisma.patient.updateMany({ where: range(ids), data: { phone } }),
    seed: async (count) => {
      const patients = neighbours(count);
      await prisma.patient.createMany({ data: patients });
      return patients.map(({ id }) => id);
    },
    close,
  };
}
