import { effort } from '../../support/effort';
import { person, visit } from '../capture/support';
import { type Clinic, engines, openClinic } from './support';

const many = effort(1_000, 4_000);

describe.each(engines)('many writes at once with the %s engine', (engine) => {
  let clinic: Clinic;

  beforeAll(async () => {
    clinic = await openClinic(engine);
  });
  beforeEach(() => clinic.clear());
  afterAll(() => clinic.close());

  it('thousands of creates on a pool of two succeed wherever those of plain Prisma do, each with its event', async () => {
    const options = { poolSize: 2, transactionOptions: { maxWait: 500, timeout: 1_000 } };
    const failures = async (client: {
      patient: { create(args: { data: ReturnType<typeof person> }): PromiseLike<unknown> };
    }): Promise<number> => {
      const started = Array.from({ length: many }, async () => client.patient.create({ data: person() }));
      return (await Promise.allSettled(started)).filter(({ status }) => status === 'rejected').length;
    };
    expect(await failures(clinic.anotherPlain(options))).toBe(0);
    expect(await failures(await clinic.another(options))).toBe(0);
    const events = await clinic.db.events();
    expect(new Set(events.map(({ aggregate_id }) => aggregate_id)).size).toBe(many);
    expect(events).toHaveLength(many);
  }, 300_000);

  it('changes of one row have their positions in the order in which they were committed', async () => {
    const clients = [clinic.prisma, await clinic.another()];
    const { id: patientId } = await clinic.prisma.patient.create({ data: person() });
    const { id, endsAt } = await clinic.prisma.appointment.create({ data: visit(patientId) });
    await clinic.db.events();
    const writes = Array.from({ length: 60 }, async (_, nr) => {
      const client = clients[nr % 2] ?? clinic.prisma;
      const data = { endsAt: new Date(Date.UTC(2030, 0, 2, 0, nr + 1)) };
      if (nr % 3 === 0) await client.appointment.updateMany({ where: { patientId }, data });
      else if (nr % 3 === 1) await client.appointment.update({ where: { id }, data });
      else await client.$transaction((tx) => tx.appointment.update({ where: { id }, data }));
    });
    await Promise.all(writes);
    const moves = (await clinic.db.said()).map(([, data]) => data);
    const ends = [endsAt.toISOString(), ...moves.map((move) => move['ends_at'])];
    expect(moves.map((move) => move['previous_ends_at'])).toEqual(ends.slice(0, -1));
    expect(moves).toHaveLength(60);
  });
});
