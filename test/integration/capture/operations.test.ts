import { type Bench, openBench, person, visit } from './support';

const bothChoices: object = { data: { name: 'a', email: 'a' }, select: { id: true }, omit: { id: true } };
const absent = '00000000-0000-7000-8000-000000000000';

describe('the events of each write operation', () => {
  let bench: Bench;

  beforeAll(async () => {
    bench = await openBench();
  });
  beforeEach(() => bench.clear());
  afterAll(() => bench.close());

  it('create: one event with the stored values, after the row, in one transaction', async () => {
    const { prisma } = bench;
    const data = person('Grace');
    const patient = await prisma.patient.create({ data });
    const [event, ...others] = await bench.events();
    expect(others).toEqual([]);
    expect(event).toMatchObject({
      event_type: 'patient.created',
      event_version: '1.0',
      aggregate_type: 'patient',
      aggregate_id: patient.id,
      source: 'test',
      data: { patient_id: patient.id, name: 'Grace', email: data.email, phone: null },
    });
    const { rows } = await bench.pool.query<{ lane: number; same: boolean }>(
      `SELECT signalbox.lane_of($1) AS lane, (SELECT xmin::text FROM patients) = (SELECT xmin::text FROM signalbox.outbox) AS same`,
      [patient.id],
    );
    expect(rows[0]).toEqual({ lane: event?.lane, same: true });
  });

  it('create with a default of the model: the event has what is stored', async () => {
    const patient = await bench.prisma.patient.create({ data: person() });
    const appointment = await bench.prisma.appointment.create({ data: visit(patient.id) });
    expect((await bench.events()).at(-1)?.data).toEqual({
      appointment_id: appointment.id,
      patient_id: patient.id,
      practitioner: appointment.practitioner,
      starts_at: '2030-01-01T10:00:00.000Z',
      ends_at: '2030-01-01T10:30:00.000Z',
      status: 'BOOKED',
    });
  });

  it('create with a connect of the row that the foreign key is to name', async () => {
    const patient = await bench.prisma.patient.create({ data: person() });
    const { patientId: _, ...data } = visit(patient.id);
    await bench.prisma.appointment.create({
      data: { ...data, patient: { connect: { email: patient.email } } },
    });
    expect((await bench.events()).at(-1)).toMatchObject({
      event_type: 'appointment.booked',
      data: { patient_id: patient.id },
    });
  });

  it('createMany: an event for each row, in their order, also with skipDuplicates', async () => {
    const [a, b, c] = [person('a'), person('b'), person('c')];
    expect(await bench.prisma.patient.createMany({ data: [a, b] })).toEqual({ count: 2 });
    expect(await bench.prisma.patient.createMany({ data: [a, c, b], skipDuplicates: true })).toEqual({
      count: 1,
    });
    const events = await bench.events();
    expect(events.map(({ data }) => data['name'])).toEqual(['a', 'b', 'c']);
    const stored = await bench.plain.patient.findMany({ orderBy: { name: 'asc' } });
    expect(events.map((event) => event.aggregate_id)).toEqual(stored.map(({ id }) => id));
  });

  it('createManyAndReturn: the rows as asked for, with events all the same', async () => {
    const data = [person('a'), { ...person('b'), id: absent }];
    const rows = await bench.prisma.patient.createManyAndReturn({ data, select: { name: true } });
    expect(rows).toEqual([{ name: 'a' }, { name: 'b' }]);
    expect((await bench.events()).at(-1)?.aggregate_id).toBe(absent);
  });

  it('5,000 rows at once, each with its event', async () => {
    const data = Array.from({ length: 5_000 }, (_, nr) => ({ ...person(), phone: String(nr) }));
    await bench.prisma.patient.createMany({ data });
    const created = await bench.events();
    expect(created.map((event) => event.data['phone'])).toEqual(data.map(({ phone }) => phone));
    expect(await bench.prisma.patient.updateMany({ data: { name: 'Bo' } })).toEqual({ count: 5_000 });
    expect(await bench.prisma.patient.deleteMany()).toEqual({ count: 5_000 });
    const types = await bench.types();
    expect(types.filter((type) => type === 'patient.updated')).toHaveLength(5_000);
    expect(types.filter((type) => type === 'patient.deleted')).toHaveLength(5_000);
  });

  it('update: what changed, by any unique where; nothing for a value that stays', async () => {
    const { prisma } = bench;
    const { id, email } = await prisma.patient.create({ data: person() });
    await prisma.patient.update({ where: { email }, data: { clinicalNotes: 'secret', name: 'New' } });
    await prisma.patient.update({ where: { id }, data: { name: 'New' } });
    await prisma.patient.update({ where: { id }, data: {} });
    await prisma.patient.update({ where: { id, name: 'New' }, data: { phone: '1' } });
    const updates = (await bench.events()).slice(1);
    expect(updates.map(({ data }) => data['changed_fields'])).toEqual([
      ['name', 'clinical_notes'],
      ['phone'],
    ]);
    expect(JSON.stringify(updates.map(({ data }) => data))).not.toContain('secret');
  });

  it('update: one change that means several events, and a value that a field became', async () => {
    const { prisma } = bench;
    const { id: patientId } = await prisma.patient.create({ data: person() });
    const { id } = await prisma.appointment.create({ data: visit(patientId) });
    const endsAt = new Date('2030-01-01T11:00:00.000Z');
    await prisma.appointment.update({ where: { id }, data: { status: 'CANCELLED', endsAt } });
    await prisma.appointment.update({ where: { id }, data: { status: 'CANCELLED', practitioner: 'x' } });
    const events = (await bench.events()).slice(2);
    expect(events.map((event) => event.event_type)).toEqual([
      'appointment.rescheduled',
      'appointment.cancelled',
    ]);
    expect(events[0]?.data).toMatchObject({
      previous_ends_at: '2030-01-01T10:30:00.000Z',
      ends_at: '2030-01-01T11:00:00.000Z',
    });
    expect(events[1]?.data).toMatchObject({ status: 'CANCELLED', previous_status: 'BOOKED' });
  });

  it('update of the primary key: the old one went, the new one came', async () => {
    const { prisma } = bench;
    const { id } = await prisma.patient.create({ data: person() });
    const updated = await prisma.patient.update({
      where: { id },
      data: { id: absent, name: 'B' },
      select: { name: true },
    });
    expect(updated).toEqual({ name: 'B' });
    await prisma.patient.updateMany({ where: { id: absent }, data: { id } });
    await prisma.patient.upsert({ where: { id }, update: { id: absent }, create: person() });
    const events = (await bench.events()).slice(1);
    expect(events.map((event) => [event.event_type, event.aggregate_id])).toEqual([
      ['patient.deleted', id],
      ['patient.created', absent],
      ['patient.deleted', absent],
      ['patient.created', id],
      ['patient.deleted', id],
      ['patient.created', absent],
    ]);
  });

  it('a new primary key of a patient takes its appointments along, which is no event of theirs', async () => {
    const { prisma } = bench;
    const patient = await prisma.patient.create({ data: person() });
    const { id } = await prisma.appointment.create({ data: visit(patient.id) });
    await prisma.patient.update({ where: { id: patient.id }, data: { id: absent } });
    await prisma.appointment.update({ where: { id }, data: { status: 'COMPLETED' } });
    expect((await bench.types()).slice(2)).toEqual([
      'patient.deleted',
      'patient.created',
      'appointment.completed',
    ]);
    expect((await bench.events()).at(-1)?.data['patient_id']).toBe(absent);
  });

  it('updateMany: each changed row, also when the update falsifies its own where', async () => {
    const { prisma } = bench;
    await prisma.patient.createMany({ data: [person('a'), person('a'), person('b')] });
    expect(await prisma.patient.updateMany({ where: { name: 'a' }, data: { name: 'b' } })).toEqual({
      count: 2,
    });
    expect(await prisma.patient.updateMany({ where: { name: 'a' }, data: { name: 'b' } })).toEqual({
      count: 0,
    });
    expect(await prisma.patient.updateMany({ data: { name: 'b' } })).toEqual({ count: 3 });
    expect((await bench.types()).slice(3)).toEqual(['patient.updated', 'patient.updated']);
  });

  it('updateMany and deleteMany with a limit: as many events as rows', async () => {
    const { prisma, plain } = bench;
    await prisma.patient.createMany({ data: [person('a'), person('a'), person('a')] });
    expect(await prisma.patient.updateMany({ where: { name: 'a' }, data: { name: 'b' }, limit: 2 })).toEqual({
      count: 2,
    });
    expect(await plain.patient.count({ where: { name: 'b' } })).toBe(2);
    expect(await prisma.patient.deleteMany({ where: { name: 'b' }, limit: 1 })).toEqual({ count: 1 });
    expect(await prisma.patient.deleteMany({ limit: 0 })).toEqual({ count: 0 });
    expect((await bench.types()).slice(3)).toEqual(['patient.updated', 'patient.updated', 'patient.deleted']);
    await expect(prisma.patient.deleteMany({ limit: -1 })).rejects.toMatchObject({ code: 'P2019' });
    expect(await plain.patient.count()).toBe(2);
  });

  it('updateManyAndReturn: the rows as asked for, also with a relation', async () => {
    const { prisma } = bench;
    const patient = await prisma.patient.create({ data: person() });
    const { id } = await prisma.appointment.create({ data: visit(patient.id) });
    const rows = await prisma.appointment.updateManyAndReturn({
      where: { patientId: patient.id },
      data: { status: 'CANCELLED' },
      select: { reason: true, patient: { select: { email: true } } },
    });
    expect(rows).toEqual([{ reason: null, patient: { email: patient.email } }]);
    expect((await bench.events()).at(-1)).toMatchObject({
      event_type: 'appointment.cancelled',
      aggregate_id: id,
    });
  });

  it('upsert: created or updated, whichever it was', async () => {
    const { prisma } = bench;
    const data = person('a');
    const where = { email: data.email };
    const first = await prisma.patient.upsert({ where, create: data, update: { name: 'b' } });
    const second = await prisma.patient.upsert({
      where,
      create: data,
      update: { name: 'b' },
      select: { name: true },
    });
    expect(second).toEqual({ name: 'b' });
    await prisma.patient.upsert({ where, create: data, update: {} });
    await prisma.patient.upsert({ where: { id: first.id }, create: person(), update: { phone: '1' } });
    await prisma.patient.upsert({
      where: { id: absent, name: 'x' },
      create: person(),
      update: { phone: '1' },
    });
    expect(await bench.types()).toEqual([
      'patient.created',
      'patient.updated',
      'patient.updated',
      'patient.created',
    ]);
  });

  it('delete and deleteMany: the image is the last one', async () => {
    const { prisma } = bench;
    const patient = await prisma.patient.create({ data: person() });
    await prisma.appointment.create({ data: visit(patient.id) });
    const second = await prisma.appointment.create({ data: { ...visit(patient.id), status: 'COMPLETED' } });
    await prisma.appointment.deleteMany({ where: { patient: { email: patient.email }, status: 'BOOKED' } });
    const deleted = await prisma.appointment.delete({
      where: { id: second.id },
      select: { patient: { select: { email: true } } },
    });
    expect(deleted).toEqual({ patient: { email: patient.email } });
    expect(await prisma.patient.delete({ where: { email: patient.email }, select: { name: true } })).toEqual({
      name: patient.name,
    });
    const events = (await bench.events()).slice(3);
    expect(events.map((event) => event.event_type)).toEqual([
      'appointment.deleted',
      'appointment.deleted',
      'patient.deleted',
    ]);
    expect(events[1]?.data).toMatchObject({ status: 'COMPLETED', patient_id: patient.id });
    expect(events[2]?.data).toEqual({ patient_id: patient.id });
  });

  it('writes of models that the catalogue does not name pass as they are', async () => {
    const entry = {
      eventId: absent,
      eventType: 't',
      aggregateType: 'a',
      aggregateId: 'i',
      sequence: 9007199254740993n,
    };
    await bench.prisma.auditEntry.create({ data: { ...entry, occurredAt: new Date(), data: { a: 1 } } });
    expect((await bench.prisma.auditEntry.findFirst())?.sequence).toBe(9007199254740993n);
    expect(await bench.types()).toEqual([]);
  });
});

describe('what the caller gets', () => {
  let bench: Bench;

  beforeAll(async () => {
    bench = await openBench();
  });
  beforeEach(() => bench.clear());
  afterAll(() => bench.close());

  it('is what it asked for, also when select, omit or include hide the key', async () => {
    const { prisma } = bench;
    const data = person('a');
    const created = await prisma.patient.create({ data, select: { name: true, _count: true } });
    expect(Object.keys(created).sort()).toEqual(['_count', 'name']);
    const where = { email: data.email };
    const updated = await prisma.patient.update({
      where,
      data: { name: 'b' },
      omit: { id: true, email: true },
    });
    expect(Object.keys(updated).sort()).toEqual(
      ['clinicalNotes', 'createdAt', 'dateOfBirth', 'name', 'phone', 'updatedAt'].sort(),
    );
    expect(JSON.parse(JSON.stringify(updated))).not.toHaveProperty('email');
    const included = await prisma.patient.update({
      where,
      data: { name: 'c' },
      include: { appointments: true },
    });
    expect(included).toMatchObject({ name: 'c', email: data.email, appointments: [] });
    expect(await bench.types()).toEqual(['patient.created', 'patient.updated', 'patient.updated']);
  });

  it('is the related row after a fluent call', async () => {
    const { prisma } = bench;
    const patient = await prisma.patient.create({ data: person() });
    const booked = await prisma.appointment.create({ data: visit(patient.id) }).patient();
    expect(booked).toEqual(patient);
    const of = await prisma.patient
      .update({ where: { id: patient.id }, data: { name: 'z' } })
      .appointments({ select: { status: true } });
    expect(of).toEqual([{ status: 'BOOKED' }]);
    expect(await bench.types()).toEqual(['patient.created', 'appointment.booked', 'patient.updated']);
  });

  it('honours fields that the client omits everywhere', async () => {
    const { prisma } = bench.another({ omit: { patient: { email: true, id: true } } });
    const created = await prisma.patient.create({ data: person('a') });
    expect(Object.keys(created)).not.toContain('email');
    const [event] = await bench.events();
    expect(event?.data).toMatchObject({ name: 'a', email: expect.stringContaining('@') as string });
  });

  it('has the type, code and wording of the plain client for each refusal', async () => {
    const { prisma, plain } = bench;
    const taken = await prisma.patient.create({ data: person() });
    const other = await prisma.patient.create({ data: person() });
    await prisma.appointment.create({ data: visit(taken.id) });
    const { patientId: _, ...unattached } = visit(taken.id);
    const attempts: ((client: typeof plain) => Promise<unknown>)[] = [
      async (client) => client.patient.create({ data: { ...person(), email: taken.email } }),
      async (client) => client.patient.createMany({ data: [person(), { ...person(), email: taken.email }] }),
      async (client) => client.patient.createManyAndReturn({ data: [{ ...person(), email: taken.email }] }),
      async (client) => client.patient.update({ where: { id: other.id }, data: { email: taken.email } }),
      async (client) => client.patient.updateMany({ where: { id: other.id }, data: { email: taken.email } }),
      async (client) => client.patient.update({ where: { id: absent }, data: { name: 'x' } }),
      async (client) => client.patient.update({ where: { email: 'nobody' }, data: { name: 'x' } }),
      async (client) => client.patient.update({ where: { id: 'no uuid' }, data: { name: 'x' } }),
      async (client) => client.patient.delete({ where: { id: absent } }),
      async (client) => client.patient.delete({ where: { id: taken.id } }),
      async (client) => client.patient.deleteMany({ where: { id: taken.id } }),
      async (client) => client.patient.delete({ where: { id: absent }, include: { appointments: true } }),
      async (client) => client.appointment.create({ data: visit(absent) }),
      async (client) =>
        client.appointment.create({ data: { ...unattached, patient: { connect: { id: absent } } } }),
      async (client) =>
        client.patient.upsert({
          where: { id: absent },
          create: { ...person(), email: taken.email },
          update: {},
        }),
      async (client) => client.patient.create({ data: { name: 1 } as never }),
      async (client) => client.patient.update({ where: {} as never, data: { name: 'x' } }),
      async (client) => client.patient.update({ where: { name: 'x' } as never, data: { name: 'x' } }),
      async (client) => client.patient.update({ where: { id: other.id }, data: { nonsense: 1 } as never }),
      async (client) => client.patient.updateMany({ where: { nonsense: 1 } as never, data: {} }),
      async (client) => client.patient.updateMany({ data: { name: 'x' }, select: { id: true } } as never),
      async (client) => client.patient.create({ data: person(), select: {} }),
      async (client) => client.patient.create(bothChoices as never),
      async (client) => client.patient.deleteMany({ nonsense: true } as never),
      async (client) => client.patient.update(undefined as never),
    ];
    for (const attempt of attempts) {
      const [mine, theirs] = [await outcomeOf(attempt(prisma)), await outcomeOf(attempt(plain))];
      expect({ attempt: String(attempt), ...mine }).toEqual({ attempt: String(attempt), ...theirs });
    }
    expect(await bench.types()).toEqual(['patient.created', 'patient.created', 'appointment.booked']);
    expect(await plain.patient.count()).toBe(2);
  });
});

/** An error as callers see it, without what differs between any two calls. */
async function outcomeOf(attempt: Promise<unknown>): Promise<object> {
  try {
    await attempt;
    return { resolved: true };
  } catch (error) {
    const { name, code, message, meta, constructor } = error as Error & {
      code?: string;
      meta?: Record<string, unknown>;
    };
    const { driverAdapterError: _, ...rest } = meta ?? {};
    const last = message
      .split('\n')
      .at(-1)
      ?.replaceAll(/patient-\d+-\d+/g, 'someone');
    return { name, code, last, meta: rest, type: constructor.name };
  }
}
