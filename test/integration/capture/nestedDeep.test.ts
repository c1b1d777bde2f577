/**
 * Nested writes of several levels, in a copy of the project whose patients belong to a practice and have guardians, and
 * whose appointments have rooms: models without events on the way, a model that leads to itself, links that may be cut.
 */
import { Pool } from 'pg';
import type { PrismaClient } from '../../../src/generated/prisma/client';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { silentLogger } from '../../support/logger';
import { Project } from '../guides/project';

jest.setTimeout(180_000);

const models = `
model Practice {
  id       Int       @id @default(autoincrement())
  name     String
  patients Patient[]
}

model Room {
  id           String        @id
  label        String        @unique
  appointments Appointment[]
}
`;
const ofPatient = `
  practiceId Int?      @map("practice_id")
  practice   Practice? @relation(fields: [practiceId], references: [id], onDelete: Restrict)
  guardianId String?   @map("guardian_id") @db.Uuid
  guardian   Patient?  @relation("wards", fields: [guardianId], references: [id], onDelete: Restrict)
  wards      Patient[] @relation("wards")
`;
const ofAppointment = `
  roomLabel String? @map("room_label")
  room      Room?   @relation(fields: [roomLabel], references: [label], onDelete: Restrict)
`;
// Tables go to the schema "signalbox" by themselves: the role has its name.
const tables = `
SET search_path TO public;
CREATE TABLE "Practice" (id serial PRIMARY KEY, name text NOT NULL);
CREATE TABLE "Room" (id text PRIMARY KEY, label text NOT NULL UNIQUE);
ALTER TABLE patients ADD practice_id int REFERENCES "Practice" ON UPDATE CASCADE,
  ADD guardian_id uuid REFERENCES patients ON UPDATE CASCADE;
ALTER TABLE appointments ADD room_label text REFERENCES "Room" (label) ON UPDATE CASCADE;
RESET search_path;`;

type Write = (args: object) => Promise<unknown>;
type Client = Record<
  'practice' | 'room' | 'patient' | 'appointment',
  Record<'create' | 'update' | 'upsert', Write>
> & {
  $transaction(work: (tx: Client) => Promise<unknown>): Promise<unknown>;
  $disconnect(): Promise<void>;
};

const group = (digit: number) => (nr: number) => `00000000-0000-7000-${digit}000-00000000000${nr}`;
const patient = group(8);
const visit = group(9);
const person = (nr: number) => ({ id: patient(nr), name: `name ${nr}`, email: `${nr}@x.test` });
const slot = (nr: number) => ({
  id: visit(nr),
  practitioner: 'Dr A',
  startsAt: new Date(Date.UTC(2030, 0, 1, nr)),
  endsAt: new Date(Date.UTC(2030, 0, 1, nr + 1)),
});
const cancelled = { status: 'CANCELLED' };
const named = (id: string, data: object) => ({ where: { id }, data });

describe('nested writes of several levels', () => {
  let project: Project;
  let database: TestDatabase;
  let pool: Pool;
  const clients: Client[] = [];

  beforeAll(async () => {
    project = await Project.copy();
    await project.edit('prisma/schema.prisma', (text) =>
      `${text}${models}`
        .replace('  appointments  Appointment[]\n', (line) => line + ofPatient)
        .replace('  @@index([patientId, startsAt])', (line) => ofAppointment + line),
    );
    expect(await project.node(['prisma/generate.js'])).toMatchObject({ code: 0 });
    database = await createTestDatabase();
    pool = new Pool({ connectionString: database.url, max: 2 });
    await pool.query(tables);
    const file = project.path('src/healthcore/capturedClient.ts');
    const { createCapturedClient } =
      jest.requireActual<typeof import('../../../src/healthcore/capturedClient')>(file);
    for (const engine of ['middleware', 'trigger'] as const) {
      const options = {
        databaseUrl: database.url,
        poolSize: 3,
        applicationName: engine,
        logger: silentLogger(),
      };
      const client: PrismaClient = await createCapturedClient(engine, options, {
        source: 'test',
        logger: silentLogger(),
      });
      clients.push(client as unknown as Client);
    }
  });
  afterAll(async () => {
    await Promise.all(clients.map((client) => client.$disconnect()));
    await pool.end();
    await database.assertNoLeaks();
    await database.drop();
    await project.remove();
  });

  const empty = (): Promise<unknown> =>
    pool.query(`SET LOCAL session_replication_role = replica;
      TRUNCATE appointments, patients, public."Practice", public."Room", signalbox.outbox RESTART IDENTITY CASCADE`);
  const events = async (): Promise<string[]> => {
    const { rows } = await pool.query<{ told: string }>(
      `SELECT event_type || ' ' || substr(aggregate_id, 20, 1) || right(aggregate_id, 1) AS told
       FROM signalbox.outbox ORDER BY position`,
    );
    return rows.map(({ told }) => told);
  };
  const rows = async (): Promise<unknown> =>
    (
      await pool.query(`SELECT (SELECT json_agg(to_jsonb(p) - '{created_at,updated_at}'::text[] ORDER BY id) FROM patients p) AS p,
        (SELECT json_agg(to_jsonb(a) - '{created_at,updated_at}'::text[] ORDER BY id) FROM appointments a) AS a`)
    ).rows;

  /** Patients 1 and 2, who is a ward of 1, in practice 1; appointments 1 and 2 of patient 1 in room r, 3 of patient 2. */
  const populate = async ({ practice, room }: Client): Promise<void> => {
    await room.create({ data: { id: 'r', label: 'Room' } });
    const inRoom = (nr: number) => ({ ...slot(nr), room: { connect: { id: 'r' } } });
    const ward = { ...person(2), practice: { connect: { id: 1 } }, appointments: { create: slot(3) } };
    const first = { ...person(1), appointments: { create: [inRoom(1), inRoom(2)] }, wards: { create: ward } };
    await practice.create({ data: { name: 'P', patients: { create: first } } });
  };
  const populated = [
    'patient.created 81',
    'patient.created 82',
    'appointment.booked 91',
    'appointment.booked 92',
    'appointment.booked 93',
  ];

  const cases: readonly [string, (client: Client) => Promise<unknown>, readonly string[]][] = [
    [
      'below models without events, four levels down',
      ({ practice }) =>
        practice.update({
          where: { id: 1 },
          data: {
            patients: {
              update: named(patient(1), {
                name: 'new',
                appointments: {
                  create: { ...slot(4), room: { create: { id: 's', label: 'S' } } },
                  update: named(visit(1), { ...cancelled, room: { update: { label: 'T' } } }),
                },
                wards: { update: named(patient(2), { phone: '1', appointments: { deleteMany: {} } }) },
              }),
            },
          },
        }),
      [
        'appointment.booked 94',
        'appointment.cancelled 91',
        'appointment.deleted 93',
        'patient.updated 81',
        'patient.updated 82',
      ],
    ],
    [
      'above, through a model that leads to itself',
      ({ appointment }) =>
        appointment.update(
          named(visit(3), {
            ...cancelled,
            patient: {
              update: { name: 'new', guardian: { update: { name: 'new', guardian: { create: person(3) } } } },
            },
          }),
        ),
      ['appointment.cancelled 93', 'patient.created 83', 'patient.updated 81', 'patient.updated 82'],
    ],
    [
      'from a model without events, by a key that is not its own',
      ({ room }) =>
        room.update({
          where: { label: 'Room' },
          data: {
            label: 'New',
            appointments: {
              update: {
                where: { id: visit(1), status: 'BOOKED' },
                data: { patient: { update: { phone: '1' } } },
              },
              updateMany: { where: {}, data: cancelled },
              connect: { id: visit(3) },
            },
          },
        }),
      ['appointment.cancelled 91', 'appointment.cancelled 92', 'patient.updated 81'],
    ],
    [
      'that cut links',
      ({ room }) => room.update({ where: { id: 'r' }, data: { appointments: { set: [] } } }),
      [],
    ],
    [
      'that connect twice what they create once',
      ({ practice }) => {
        const guardian = { connectOrCreate: { where: { email: '5@x.test' }, create: person(5) } };
        return practice.create({
          data: { name: 'Q', patients: { create: [3, 4].map((nr) => ({ ...person(nr), guardian })) } },
        });
      },
      ['patient.created 83', 'patient.created 84', 'patient.created 85'],
    ],
    [
      'of rows that get new keys, with rows below them',
      ({ patient: { update } }) =>
        update(
          named(patient(1), {
            id: patient(6),
            wards: { update: named(patient(2), { id: patient(7), appointments: { create: slot(4) } }) },
          }),
        ),
      [
        'appointment.booked 94',
        'patient.created 86',
        'patient.created 87',
        'patient.deleted 81',
        'patient.deleted 82',
      ],
    ],
    [
      'in an upsert of a row that is not there',
      ({ patient: { upsert } }) =>
        upsert({
          where: { id: patient(3) },
          create: {
            ...person(3),
            guardian: { connect: { id: patient(1) } },
            wards: {
              connect: { id: patient(2) },
              create: { ...person(4), appointments: { create: slot(4) } },
            },
          },
          update: { wards: { deleteMany: {} } },
        }),
      ['appointment.booked 94', 'patient.created 83', 'patient.created 84'],
    ],
    [
      'of which the last can’t be done',
      ({ practice }) =>
        practice.update({
          where: { id: 1 },
          data: {
            patients: {
              create: person(3),
              update: named(patient(1), { wards: { delete: { id: patient(2) } } }),
            },
          },
        }),
      [],
    ],
  ];

  it.each(cases)('%s', async (_, write, expected) => {
    const seen: unknown[] = [];
    for (const client of clients) {
      await empty();
      await populate(client);
      expect((await events()).sort()).toEqual([...populated].sort());
      const outcome = await write(client).then(
        () => 'done',
        (error: { code?: string }) => error.code,
      );
      const told = (await events()).slice(populated.length).sort();
      expect([outcome, told]).toEqual([expected.length === 0 ? outcome : 'done', [...expected].sort()]);
      seen.push([outcome, await rows()]);
    }
    expect(seen[0]).toEqual(seen[1]);
  });

  it('that may cut off what they create are refused', async () => {
    const [middleware] = clients;
    await empty();
    await populate(middleware as Client);
    const wards = { create: person(3), set: [] };
    await expect(middleware?.patient.update(named(patient(1), { wards }))).rejects.toThrow(
      '"Patient.update, wards.set" of the same write may cut the new row off',
    );
  });
});
