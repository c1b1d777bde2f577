import { randomInt } from 'node:crypto';
import { CaptureError } from '../../../src/outbox/captureError';
import type { CapturedTransaction } from '../../../src/healthcore/capturedClient';
import { effort } from '../../support/effort';
import { type Bench, openBench, type OutboxRow } from './support';

/*
 * Random sequences of writes from several clients, in and out of transactions, nested ones and batches, with rollbacks
 * and caught errors. Afterwards the events of each aggregate, replayed in the order of their positions, must give the
 * tables as they are, and every "previous" value must be the value that the event before has left.
 */

type Random = () => number;
type Client = Pick<CapturedTransaction, 'patient' | 'appointment'>;

/** mulberry32, public domain: a small generator whose seed repeats a run. */
function seeded(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const uuid = (kind: number, nr: number): string =>
  `0000000${kind}-0000-7000-8000-${String(nr).padStart(12, '0')}`;
const minute = (nr: number): Date => new Date(Date.UTC(2030, 0, 1, 0, nr));

class Walk {
  constructor(private readonly random: Random) {}

  int(below: number): number {
    return Math.floor(this.random() * below);
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.int(choices.length)] as T;
  }

  chance(probability: number): boolean {
    return this.random() < probability;
  }

  /** One write of any kind; many of them fail, and that is part of it. */
  write(client: Client): PromiseLike<unknown> {
    const { patient, appointment } = client;
    const id = uuid(1, this.int(6));
    const email = `e${this.int(6)}@example.test`;
    const name = this.pick(['a', 'b', 'c']);
    const phone = this.pick([null, '1', '2']);
    const row = { id, email, name, phone };
    const visitId = uuid(2, this.int(5));
    const start = this.int(40);
    const slot = { startsAt: minute(start), endsAt: minute(start + 1 + this.int(3)) };
    const below = { id: visitId, practitioner: `dr ${this.int(3)}`, ...slot };
    const visit = { ...below, patientId: id };
    // Back to BOOKED would mean no event, and the chain would have a gap that is no fault.
    const status = this.pick(['CANCELLED', 'COMPLETED'] as const);
    const writes: (() => PromiseLike<unknown>)[] = [
      () => patient.create({ data: row }),
      () =>
        patient.createMany({
          data: [row, { ...row, id: uuid(1, this.int(6)), email: `e${this.int(6)}@example.test` }],
          skipDuplicates: true,
        }),
      () => patient.createManyAndReturn({ data: [row], select: { name: true } }),
      () => patient.update({ where: { id }, data: { name, phone } }),
      () => patient.update({ where: { email }, data: { clinicalNotes: name }, select: { name: true } }),
      () => patient.update({ where: { id }, data: { id: uuid(1, this.int(6)), email } }),
      () =>
        patient.updateMany({
          where: { name },
          data: { name: this.pick(['a', 'b', 'c']) },
          limit: this.int(4),
        }),
      () => patient.updateMany({ where: { appointments: { some: { status } } }, data: { phone } }),
      () => patient.updateMany({ where: { email }, data: { id } }),
      () => patient.updateManyAndReturn({ where: { phone }, data: { name }, omit: { id: true } }),
      () => patient.upsert({ where: { id }, create: row, update: { name } }),
      () => patient.upsert({ where: { email }, create: row, update: { phone, id } }),
      () => patient.delete({ where: { id } }),
      () => patient.deleteMany({ where: { name, appointments: { none: {} } }, limit: 2 }),
      () => appointment.create({ data: visit }),
      () => appointment.create({ data: visit, include: { patient: true } }),
      () => appointment.update({ where: { id: visitId }, data: slot }),
      () => appointment.update({ where: { id: visitId }, data: { status, patient: { connect: { id } } } }),
      () => appointment.updateMany({ where: { status: { not: status } }, data: { status }, limit: 2 }),
      () => appointment.upsert({ where: { id: visitId }, create: visit, update: slot }),
      () => appointment.delete({ where: { id: visitId }, include: { patient: true } }),
      () => appointment.deleteMany({ where: { status, patientId: id } }),
      () => patient.create({ data: { ...row, appointments: { create: [below] } } }),
      () => patient.update({ where: { id }, data: { name, appointments: { create: below } } }),
      () => patient.update({ where: { email }, data: { appointments: { deleteMany: { status } } } }),
      () => patient.update({ where: { id }, data: { appointments: { connect: { id: visitId } } } }),
      () =>
        patient.upsert({
          where: { id },
          create: { ...row, appointments: { connect: { id: visitId } } },
          update: { appointments: { upsert: { where: { id: visitId }, create: below, update: slot } } },
        }),
      () =>
        appointment.update({
          where: { id: visitId },
          data: { status, patient: { connectOrCreate: { where: { email }, create: row } } },
        }),
      () => appointment.create({ data: { ...below, patient: { create: row } } }),
      () => appointment.update({ where: { id: visitId }, data: { ...slot, patient: { update: { name } } } }),
    ];
    return this.pick(writes)();
  }

  async writes(client: Client, most: number): Promise<void> {
    for (let left = 1 + this.int(most); left > 0; left--) {
      if (this.chance(0.2)) await Promise.allSettled([this.write(client), this.write(client)]);
      else await Promise.resolve(this.write(client)).catch(() => undefined);
    }
  }

  async step({ prisma }: Pick<Bench, 'prisma'>): Promise<void> {
    const kind = this.random();
    if (kind < 0.4) await this.write(prisma);
    else if (kind < 0.55) await prisma.$transaction([this.write(prisma), this.write(prisma)] as never);
    else {
      await prisma.$transaction(
        async (tx) => {
          await this.writes(tx, 3);
          if (this.chance(0.5)) {
            await tx
              .$transaction(async (nested) => {
                await this.writes(nested, 2);
                if (this.chance(0.4)) throw new Error('inner rollback');
              })
              .catch(() => undefined);
            await this.writes(tx, 2);
          }
          if (this.chance(0.3)) throw new Error('rollback');
        },
        {
          timeout: 60_000,
          maxWait: 60_000,
          isolationLevel: this.pick(['ReadCommitted', 'RepeatableRead', 'Serializable']),
        },
      );
    }
  }
}

const replayed: Readonly<Record<string, readonly string[]>> = {
  patient: ['patient_id', 'name', 'email', 'phone'],
  appointment: ['appointment_id', 'practitioner', 'starts_at', 'ends_at', 'status'],
};

/** The state that the events leave behind, and what is wrong with their chain. */
function replay(events: readonly OutboxRow[]): {
  states: Map<string, Record<string, unknown>>;
  problems: string[];
} {
  const states = new Map<string, Record<string, unknown>>();
  const problems: string[] = [];
  for (const { position, event_type, aggregate_type, aggregate_id, data } of events) {
    const state = states.get(aggregate_id);
    const note = (what: string): void =>
      void problems.push(`${position} ${event_type} ${aggregate_id}: ${what}`);
    const begins = event_type === 'patient.created' || event_type === 'appointment.booked';
    if (begins === (state !== undefined)) note(begins ? 'it is there already' : 'it is not there');
    if (event_type.endsWith('.deleted')) {
      states.delete(aggregate_id);
      continue;
    }
    for (const [name, value] of Object.entries(data)) {
      const before = name.replace(/^previous_/, '');
      if (before !== name && state?.[before] !== value)
        note(`${name} is ${String(value)}, was ${String(state?.[before])}`);
    }
    const carried = (replayed[aggregate_type] ?? []).filter((name) => name in data);
    states.set(aggregate_id, { ...state, ...Object.fromEntries(carried.map((name) => [name, data[name]])) });
  }
  return { states, problems };
}

/** All events of the aggregates that problems speak of. */
function history(events: readonly OutboxRow[], problems: readonly string[]): string {
  return events
    .filter(({ aggregate_id }) => problems.some((problem) => problem.includes(aggregate_id)))
    .map((event) => `${event.position} of ${event.txid}: ${event.event_type} ${JSON.stringify(event.data)}`)
    .join('\n');
}

/** The tables as they are, in the words of the events. */
async function tables({ plain }: Bench): Promise<Map<string, Record<string, unknown>>> {
  const found = new Map<string, Record<string, unknown>>();
  for (const { id, name, email, phone } of await plain.patient.findMany()) {
    found.set(id, { patient_id: id, name, email, phone });
  }
  for (const { id, practitioner, startsAt, endsAt, status } of await plain.appointment.findMany()) {
    const [starts_at, ends_at] = [startsAt.toISOString(), endsAt.toISOString()];
    found.set(id, { appointment_id: id, practitioner, starts_at, ends_at, status });
  }
  return found;
}

describe('random writes', () => {
  /** The second limit, in milliseconds, is so short that batches meet it anywhere in their operations. */
  const seeds = effort([11, 29], [11, 29, randomInt(2 ** 31), randomInt(2 ** 31)]);
  const runs = seeds.map((seed, index) => ({ seed, timeout: index % 2 === 0 ? 5_000 : 25 }));
  const steps = effort(45, 120);

  it.each(runs)(
    'leave events that tell what has become of every row (seed $seed, batches of $timeout ms)',
    async ({ seed, timeout }) => {
      const options = { transactionOptions: { timeout, maxWait: 60_000 } };
      const bench = await openBench({ poolSize: 6, ...options });
      try {
        const others = [1, 2].map(() => bench.another({ poolSize: 4, ...options }));
        const clients = [bench, ...others];
        const errors: unknown[] = [];
        await Promise.all(
          clients.map(async (client, nr) => {
            const walk = new Walk(seeded(seed + nr));
            for (let step = 0; step < steps; step++)
              await walk.step(client).catch((error: unknown) => errors.push(error));
          }),
        );
        const events = await bench.events();
        const { states, problems } = replay(events);
        if (problems.length > 0) throw new Error(`${problems.join('\n')}\n${history(events, problems)}`);
        expect(states).toEqual(await tables(bench));
        // The walk has written something: how much depends on which clients meet, and on the limit.
        expect(events.length).toBeGreaterThan(steps / 5);
        const unexpected = errors.filter((error) => !isExpected(error));
        expect(unexpected).toEqual([]);
      } finally {
        await bench.close();
      }
    },
    300_000,
  );
});

/** Constraints, conflicts and rows that are not there; nothing of capture's own. */
function isExpected(error: unknown): boolean {
  const { code, message, name, cause } = error as Error & { code?: string };
  if (message === 'rollback') return true;
  // A conflict after the write, which the caller caught: the transaction can't be committed.
  if (error instanceof CaptureError) return error.cause !== undefined && isExpected(error.cause);
  // A conflict that only COMMIT finds reaches the caller of $transaction as the adapter gave it, as without capture.
  // Before Prisma 7.10 so do a deadlock, a row that is pointed at and a period that is taken.
  if (name === 'DriverAdapterError') {
    const { originalCode = '' } = (cause ?? {}) as { originalCode?: string };
    return message === 'TransactionWriteConflict' || ['40P01', '23001', '23P01'].includes(originalCode);
  }
  // When a caught error has spoilt a nested transaction, Prisma rolls the outer one back: also without capture.
  if (code === 'P2028') return /transaction that was rolled back|on an expired transaction/.test(message);
  // The time-out came between two statements of one operation.
  if (code === 'P1018') return true;
  return ['P2002', 'P2003', 'P2018', 'P2025', 'P2034', 'P2039'].includes(code ?? '');
}
