/** What writers do: what applications do, and all of it at once. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CapturedTransaction } from '../../../src/healthcore/capturedClient';
import type { Random } from '../random';
import { hotPatients, mailboxes } from '../world/journalSchema';
import { inTransaction, OnPurpose, record, type Writer } from './transaction';

/** Rows that belong to one loop of one writer: nobody else changes or deletes them. */
export interface Own {
  readonly patients: string[];
}

type Action = (writer: Writer, random: Random, own: Own) => Promise<unknown>;

const patientData = (id: string, tag: string) => ({ id, name: tag, email: `${id}@example.com`, phone: '1' });

/** A fifth of the changes goes to one of them. */
const hot = (random: Random): string =>
  random.chance(0.2) ? (hotPatients[0] ?? '') : random.pick(hotPatients);

const change = (tx: CapturedTransaction | Writer['prisma'], id: string, name: string) =>
  tx.patient.update({ where: { id }, data: { name }, select: { id: true } });

const changeOne: Action = (writer, random) =>
  record(writer, { changes: 1 }, (tag) => change(writer.prisma, hot(random), tag));

const create: Action = async (writer, _random, own) => {
  const id = randomUUID();
  const done = await record(writer, { changes: 1 }, (tag) =>
    writer.prisma.patient.create({ data: patientData(id, tag) }),
  );
  if (done) own.patients.push(id);
};

const createMany: Action = (writer, random) => {
  const ids = Array.from({ length: random.between(2, 20) }, () => randomUUID());
  return record(writer, { changes: ids.length }, (tag) =>
    writer.prisma.patient.createMany({ data: ids.map((id) => patientData(id, tag)) }),
  );
};

const remove: Action = async (writer, _random, own) => {
  const id = own.patients.shift();
  if (id === undefined) return;
  await record(writer, { changes: 1, tag: `delete ${id}` }, () =>
    writer.prisma.patient.delete({ where: { id } }),
  );
};

/** Mostly in one order of locks; now and then in any, which ends in a deadlock for one of two. */
function several(random: Random): string[] {
  const ids = [...new Set(Array.from({ length: random.between(2, 4) }, () => hot(random)))];
  return random.chance(0.95) ? ids.sort() : ids;
}

const changeSeveral: Action = (writer, random) => {
  const ids = several(random);
  return inTransaction(writer, ids.length + 1, async (tx, tag) => {
    for (const id of ids) await change(tx, id, tag);
    const id = randomUUID();
    await tx.patient.create({ data: patientData(id, tag) });
  });
};

/** The command's key is locked by the append; only then is its number drawn. */
const sendEmail: Action = (writer, random) =>
  inTransaction(writer, 2, async (tx, tag) => {
    const mailbox = random.pick(mailboxes);
    await change(tx, hot(random), tag);
    await tx.$append('email.send', {
      aggregateId: mailbox,
      data: { to: 'chaos@example.com', subject: tag, text: '' },
    });
    await tx.$executeRaw`
      INSERT INTO chaos.change SELECT 'email', ${mailbox}, coalesce(max(version), 0) + 1, 'email.send', ${tag}, ${tag}
      FROM chaos.change WHERE aggregate_type = 'email' AND aggregate_id = ${mailbox}`;
  });

/** Of two nested transactions one is rolled back to its savepoint. */
const nest: Action = (writer, random) => {
  const [first, second, third] = [hot(random), hot(random), hot(random)].sort();
  return inTransaction(writer, 2, async (tx, tag) => {
    await change(tx, first ?? '', tag);
    const failing = tx.$transaction(async (nested) => {
      await change(nested, second ?? '', `${tag} undone`);
      await nested.patient.create({ data: patientData(randomUUID(), tag) });
      throw new OnPurpose();
    });
    await failing.catch((error: unknown) => {
      if (!(error instanceof OnPurpose)) throw error;
    });
    await tx.$transaction(async (nested) => void (await change(nested, third ?? '', tag)));
  });
};

const rollBack: Action = (writer, random) =>
  inTransaction(writer, 2, async (tx, tag) => {
    await change(tx, hot(random), tag);
    await tx.patient.create({ data: patientData(randomUUID(), tag) });
    if (random.chance(0.3)) await sleep(random.between(10, 500));
    throw new OnPurpose();
  });

/** Keeps its positions to itself while others get ahead of it. */
const takeLong: Action = (writer, random) =>
  inTransaction(writer, 2, async (tx, tag) => {
    await tx.patient.create({ data: patientData(randomUUID(), tag) });
    await sleep(random.between(200, 4_000));
    await tx.patient.create({ data: patientData(randomUUID(), tag) });
  });

const attend: Action = async (writer, random) => {
  const id = randomUUID();
  const start = Date.UTC(2030, 0, 1) + random.between(0, 10_000) * 60_000;
  const times = (shift: number) => ({
    startsAt: new Date(start + shift * 60_000),
    endsAt: new Date(start + (shift + 30) * 60_000),
  });
  const patientId = random.pick(hotPatients);
  const { appointment } = writer.prisma;
  const booked = await record(writer, { changes: 1 }, (tag) =>
    appointment.create({ data: { id, patientId, practitioner: `${id}/1`, reason: tag, ...times(0) } }),
  );
  if (!booked) return;
  const status = random.pick(['CANCELLED', 'COMPLETED'] as const);
  await inTransaction(writer, 2, async (tx) => {
    await tx.appointment.update({ where: { id }, data: times(60) });
    await tx.appointment.update({ where: { id }, data: { status } });
  });
  await record(writer, { changes: 1, tag: `delete ${id}` }, () => appointment.delete({ where: { id } }));
};

const weighted: readonly (readonly [number, Action])[] = [
  [30, changeOne],
  [12, create],
  [10, remove],
  [3, createMany],
  [15, changeSeveral],
  [8, sendEmail],
  [8, nest],
  [8, rollBack],
  [3, takeLong],
  [8, attend],
];
const drawn = weighted.flatMap(([weight, action]) => Array.from({ length: weight }, () => action));

/** Does one thing, by chance. */
export async function act(writer: Writer, random: Random, own: Own): Promise<void> {
  await random.pick(drawn)(writer, random, own);
}
