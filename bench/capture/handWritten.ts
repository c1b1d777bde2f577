/** What people write by hand: an outbox row beside the model's, in one transaction of Prisma's. */
import type { PrismaClient } from '../../src/generated/prisma/client';
import type { NewPatient } from './scenarios';
import { plainPrisma, prismaVariant, range, type Variant, type VariantOptions } from './variant';

const appendOne = `INSERT INTO signalbox.outbox
    (lane, event_type, event_version, aggregate_type, aggregate_id, source, correlation_id, actor, data)
  VALUES (signalbox.lane_of($1), $2, '1.0', 'patient', $1, 'bench', $3, 'user:4711', $4::json)`;

const appendMany = `INSERT INTO signalbox.outbox
    (lane, event_type, event_version, aggregate_type, aggregate_id, source, correlation_id, actor, data)
  SELECT signalbox.lane_of(e.data->>'patient_id'), $1, '1.0', 'patient', e.data->>'patient_id', 'bench', $2, 'user:4711', e.data
  FROM json_array_elements($3::json) AS e(data)`;

const json = JSON.stringify;

/** Bulk writes may take longer on a busy machine than the five seconds that Prisma gives a transaction. */
const patience = { maxWait: 60_000, timeout: 60_000 };

interface Contact {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly phone: string | null;
}

const dataOf = ({ id, name, email, phone }: Contact) => ({ patient_id: id, name, email, phone });

/** What most services do: an interactive transaction around the write and the insert into the outbox. */
export async function handWritten(options: VariantOptions): Promise<Variant> {
  const prisma = plainPrisma(options);
  const { seed, close } = prismaVariant('', prisma, () => prisma.$disconnect());
  return {
    name: 'hand-written transaction',
    create: (data) =>
      prisma.$transaction(async (tx) => {
        const row = await tx.patient.create({ data });
        await tx.$executeRawUnsafe(appendOne, row.id, 'patient.created', 'request', json(dataOf(row)));
      }),
    update: (id, phone) =>
      prisma.$transaction(async (tx) => {
        const before = await tx.patient.findUniqueOrThrow({ where: { id } });
        const after = await tx.patient.update({ where: { id }, data: { phone } });
        const changed_fields = before.phone === after.phone ? [] : ['phone'];
        const event = json({ ...dataOf(after), changed_fields });
        await tx.$executeRawUnsafe(appendOne, id, 'patient.updated', 'request', event);
      }),
    createMany: (data) =>
      prisma.$transaction(async (tx) => {
        await tx.patient.createMany({ data });
        await tx.$executeRawUnsafe(appendMany, 'patient.created', 'request', json(data.map(dataOf)));
      }, patience),
    updateMany: (ids, phone) => updateMany(prisma, ids, phone),
    seed,
    close,
  };
}

/** The rows before and after, so that an event says what has changed; nothing guards it against other writers. */
async function updateMany(prisma: PrismaClient, ids: readonly string[], phone: string): Promise<void> {
  await prisma.$transaction(async (tx) => {
    const where = range(ids);
    const before = new Map((await tx.patient.findMany({ where })).map((row) => [row.id, row]));
    await tx.patient.updateMany({ where, data: { phone } });
    const events = (await tx.patient.findMany({ where }))
      .filter((row) => before.get(row.id)?.phone !== row.phone)
      .map((row) => ({ ...dataOf(row), changed_fields: ['phone'] }));
    await tx.$executeRawUnsafe(appendMany, 'patient.updated', 'request', json(events));
  }, patience);
}

/** The same as a batch: possible where the event is known before the row is written. */
export async function handWrittenBatch(options: VariantOptions): Promise<Variant> {
  const prisma = plainPrisma(options);
  const { seed, close } = prismaVariant('', prisma, () => prisma.$disconnect());
  return {
    name: 'hand-written batch',
    create: (data) =>
      prisma.$transaction([
        prisma.patient.create({ data }),
        prisma.$executeRawUnsafe(appendOne, data.id, 'patient.created', 'request', json(dataOf(data))),
      ]),
    createMany: (data: NewPatient[]) =>
      prisma.$transaction(
        [
          prisma.patient.createMany({ data }),
          prisma.$executeRawUnsafe(appendMany, 'patient.created', 'request', json(data.map(dataOf))),
        ],
        patience,
      ),
    seed,
    close,
  };
}
