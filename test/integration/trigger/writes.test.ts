import { randomUUID } from 'node:crypto';
import { connect, serverNames, startServer, type TestConnection, type TriggerServer } from './support';

describe.each(serverNames)('capture by triggers on %s', (name) => {
  let server: TriggerServer;
  let db: TestConnection;

  beforeAll(async () => {
    server = await startServer(name);
    db = await server.open();
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    await db.run('DELETE FROM appointments');
    await db.run('DELETE FROM patients');
    await db.events();
  });

  const insert = `INSERT INTO patients (id, name, email, updated_at) VALUES ($1, $2, $3, now())`;
  const newPatient = async (email: string): Promise<string> => {
    const id = randomUUID();
    await db.run(insert, [id, 'Ann', email]);
    await db.events();
    return id;
  };
  const many = async (count: number): Promise<void> => {
    await db.run(
      `INSERT INTO patients (id, name, email, updated_at)
       SELECT gen_random_uuid(), 'Patient ' || g, g || '@example.com', now() FROM generate_series(1, $1) g`,
      [count],
    );
  };
  const book = async (patientId: string): Promise<string> => {
    const id = randomUUID();
    await db.run(
      `INSERT INTO appointments (id, patient_id, practitioner, starts_at, ends_at, updated_at)
       VALUES ($1, $2, $1::uuid::text, '2026-01-05T19:00:00Z', '2026-01-05T20:00:00Z', now())`,
      [id, patientId],
    );
    return id;
  };

  it('says that a row was created, changed and deleted', async () => {
    const id = randomUUID();
    await db.run(insert, [id, 'Ann', 'a@example.com']);
    await db.run(`UPDATE patients SET phone = '1', clinical_notes = 'secret' WHERE id = $1`, [id]);
    await db.run('DELETE FROM patients WHERE id = $1', [id]);
    const carried = { patient_id: id, name: 'Ann', email: 'a@example.com' };
    const events = await db.events();
    expect(events.map(({ event_type, data }) => [event_type, data])).toEqual([
      ['patient.created', { ...carried, phone: null }],
      ['patient.updated', { ...carried, phone: '1', changed_fields: ['phone', 'clinical_notes'] }],
      ['patient.deleted', { patient_id: id }],
    ]);
    expect(new Set(events.map(({ aggregate_id }) => aggregate_id))).toEqual(new Set([id]));
    expect(events[0]).toMatchObject({
      aggregate_type: 'patient',
      event_version: '1.0',
      source: 'trigger test',
    });
  });

  it('writes the keys of data in the order of the rule, without blanks', async () => {
    const id = await newPatient('k@example.com');
    await db.run(`UPDATE patients SET name = 'Bea' WHERE id = $1`, [id]);
    expect((await db.events())[0]?.json).toBe(
      `{"patient_id":"${id}","name":"Bea","email":"k@example.com","phone":null,"changed_fields":["name"]}`,
    );
  });

  it('says nothing of an update that changes nothing, or nothing that the catalogue lists', async () => {
    const id = await newPatient('n@example.com');
    await db.run('UPDATE patients SET name = name, phone = NULL WHERE id = $1', [id]);
    await db.run(`UPDATE patients SET updated_at = now() + interval '1 day'`);
    await db.run(`UPDATE patients SET name = 'Nobody' WHERE false`);
    expect(await db.types()).toEqual([]);
  });

  it('tells a change from null and to null', async () => {
    const id = await newPatient('z@example.com');
    await db.run(`UPDATE patients SET phone = '1' WHERE id = $1`, [id]);
    await db.run('UPDATE patients SET phone = NULL WHERE id = $1', [id]);
    expect((await db.said()).map(([, data]) => data['phone'])).toEqual(['1', null]);
  });

  it('says that a status became something only when it was something else before', async () => {
    const id = await book(await newPatient('b@example.com'));
    await db.run(`UPDATE appointments SET status = 'CANCELLED' WHERE id = $1`, [id]);
    await db.run(`UPDATE appointments SET status = 'CANCELLED', practitioner = 'x' WHERE id = $1`, [id]);
    const said = await db.said();
    expect(said.map(([type]) => type)).toEqual(['appointment.booked', 'appointment.cancelled']);
    expect(said[1]?.[1]).toMatchObject({ status: 'CANCELLED', previous_status: 'BOOKED' });
  });

  it('says several events of one row in the order of the catalogue', async () => {
    const patientId = await newPatient('s@example.com');
    const ids = [await book(patientId), await book(patientId), await book(patientId)];
    await db.events();
    await db.run(`UPDATE appointments SET status = 'COMPLETED', ends_at = ends_at + interval '1 hour'`);
    const events = await db.events();
    for (const id of ids) {
      const own = events.filter(({ aggregate_id }) => aggregate_id === id);
      expect(own.map(({ event_type }) => event_type)).toEqual([
        'appointment.rescheduled',
        'appointment.completed',
      ]);
      expect(own[0]?.data).toMatchObject({
        previous_ends_at: '2026-01-05T20:00:00.000Z',
        ends_at: '2026-01-05T21:00:00.000Z',
      });
    }
  });

  it('says of a row that is updated alone what it says of one that is updated with others', async () => {
    const alone = await book(await newPatient('a@example.com'));
    const together = [
      await book(await newPatient('b@example.com')),
      await book(await newPatient('c@example.com')),
    ];
    await db.events();
    const change = `UPDATE appointments SET status = 'COMPLETED', ends_at = ends_at + interval '1 hour'`;
    await db.run(`${change} WHERE id = $1`, [alone]);
    await db.run(`${change} WHERE id <> $1`, [alone]);
    const events = await db.events();
    const saidOf = (id: string): unknown[] =>
      events
        .filter(({ aggregate_id }) => aggregate_id === id)
        .map(({ event_type, data }) => [
          event_type,
          { ...data, appointment_id: '', patient_id: '', practitioner: '' },
        ]);
    expect(saidOf(alone)).toEqual([
      ['appointment.rescheduled', expect.objectContaining({ previous_ends_at: '2026-01-05T20:00:00.000Z' })],
      ['appointment.completed', expect.objectContaining({ previous_status: 'BOOKED' })],
    ]);
    for (const id of together) expect(saidOf(id)).toEqual(saidOf(alone));
  });

  it('takes a changed primary key for one row that went and one that came, where no other row is updated', async () => {
    const id = await newPatient('p@example.com');
    const next = randomUUID();
    await db.run('UPDATE patients SET id = $2 WHERE id = $1', [id, next]);
    expect(await db.said()).toEqual([
      ['patient.deleted', { patient_id: id }],
      ['patient.created', expect.objectContaining({ patient_id: next, email: 'p@example.com' })],
    ]);
  });

  it('takes a changed primary key for one row that went and one that came', async () => {
    const id = await newPatient('p@example.com');
    const other = await newPatient('q@example.com');
    const next = randomUUID();
    await db.run(`UPDATE patients SET id = CASE id WHEN $1 THEN $2::uuid ELSE id END, name = 'Eve'`, [
      id,
      next,
    ]);
    const said = await db.said();
    expect(said).toContainEqual(['patient.deleted', { patient_id: id }]);
    expect(said).toContainEqual([
      'patient.created',
      expect.objectContaining({ patient_id: next, name: 'Eve' }),
    ]);
    expect(said).toContainEqual([
      'patient.updated',
      expect.objectContaining({ patient_id: other, name: 'Eve' }),
    ]);
    expect(said).toHaveLength(3);
  });

  it('pairs rows rightly when two of them swap their primary keys', async () => {
    await db.run(
      'ALTER TABLE patients DROP CONSTRAINT IF EXISTS swap, ADD CONSTRAINT swap UNIQUE (id) DEFERRABLE',
    );
    await db.run('ALTER TABLE appointments DROP CONSTRAINT appointments_patient_id_fkey');
    await db.run('ALTER TABLE patients DROP CONSTRAINT patients_pkey');
    const [one, two] = [await newPatient('1@example.com'), await newPatient('2@example.com')];
    await db.run('UPDATE patients SET id = CASE id WHEN $1 THEN $2::uuid ELSE $1::uuid END', [one, two]);
    const said = await db.said();
    const told = new Set(said.map(([type, { patient_id, email }]) => [type, patient_id, email].join(' ')));
    expect(told).toEqual(
      new Set([`patient.updated ${one} 2@example.com`, `patient.updated ${two} 1@example.com`]),
    );
    await db.run('ALTER TABLE patients ADD PRIMARY KEY (id), DROP CONSTRAINT swap');
  });

  it('captures bulk writes of 5,000 rows, each row once', async () => {
    await many(5_000);
    const created = await db.events();
    expect(new Set(created.map(({ aggregate_id }) => aggregate_id)).size).toBe(5_000);
    // Two rows first, so that the plan of the session is one for few rows.
    await db.run(`UPDATE patients SET phone = '0' WHERE email IN ('1@example.com', '2@example.com')`);
    await db.events();
    await db.run(`UPDATE patients SET name = upper(name)`);
    const updated = await db.events();
    expect(new Set(updated.map(({ aggregate_id }) => aggregate_id)).size).toBe(5_000);
    expect(updated).toHaveLength(5_000);
    await db.run('DELETE FROM patients');
    expect(await db.types()).toEqual(Array.from({ length: 5_000 }, () => 'patient.deleted'));
  });

  it('keeps the order of an INSERT of many rows', async () => {
    await many(100);
    const emails = (await db.said()).map(([, { email }]) => email);
    expect(emails).toEqual(Array.from({ length: 100 }, (_, n) => `${n + 1}@example.com`));
  });

  it('captures what ON CONFLICT inserted, updated and left alone', async () => {
    await newPatient('old@example.com');
    const upsert = `INSERT INTO patients (id, name, email, updated_at)
      VALUES (gen_random_uuid(), 'New', 'new@example.com', now()), (gen_random_uuid(), 'New', 'old@example.com', now())
      ON CONFLICT (email) DO`;
    await db.run(`${upsert} UPDATE SET name = excluded.name`);
    const told = new Set((await db.said()).map(([type, { email }]) => [type, email].join(' ')));
    expect(told).toEqual(new Set(['patient.created new@example.com', 'patient.updated old@example.com']));
    await db.run(`${upsert} NOTHING`);
    expect(await db.types()).toEqual([]);
  });

  it('captures all that MERGE does', async () => {
    await newPatient('gone@example.com');
    await newPatient('kept@example.com');
    await db.run(`MERGE INTO patients p USING (VALUES ('gone'), ('kept'), ('come')) v(what)
      ON p.email = v.what || '@example.com'
      WHEN MATCHED AND v.what = 'gone' THEN DELETE
      WHEN MATCHED THEN UPDATE SET phone = '7'
      WHEN NOT MATCHED THEN INSERT (id, name, email, updated_at)
        VALUES (gen_random_uuid(), 'M', v.what || '@example.com', now())`);
    expect((await db.types()).sort()).toEqual(['patient.created', 'patient.deleted', 'patient.updated']);
  });

  it('captures COPY', async () => {
    await db.run(`COPY patients (id, name, email, updated_at) FROM PROGRAM
      'echo "${randomUUID()}\tCopy\tcopy@example.com\t2026-01-01"'`);
    expect((await db.said()).map(([type, { email }]) => [type, email])).toEqual([
      ['patient.created', 'copy@example.com'],
    ]);
  });

  it('captures writes in a CTE and those of a function or a DO block', async () => {
    await db.run(`WITH gone AS (INSERT INTO patients (id, name, email, updated_at)
      VALUES (gen_random_uuid(), 'C', 'cte@example.com', now()) RETURNING id) SELECT count(*) FROM gone`);
    await db.run(`DO $$ BEGIN UPDATE patients SET name = 'D'; DELETE FROM patients; END $$`);
    expect(await db.types()).toEqual(['patient.created', 'patient.updated', 'patient.deleted']);
  });

  it('leaves no event of what was rolled back, wholly or to a savepoint', async () => {
    await db.run('BEGIN');
    await db.run(insert, [randomUUID(), 'R', 'r@example.com']);
    await db.run('ROLLBACK');
    await db.run('BEGIN');
    await db.run(insert, [randomUUID(), 'Kept', 'k1@example.com']);
    await db.run('SAVEPOINT s');
    await db.run(insert, [randomUUID(), 'Lost', 'l@example.com']);
    await db.run('ROLLBACK TO SAVEPOINT s');
    await db.run(insert, [randomUUID(), 'Kept too', 'k2@example.com']);
    await db.run('COMMIT');
    expect((await db.said()).map(([, data]) => data['name'])).toEqual(['Kept', 'Kept too']);
  });

  it('leaves no event of a statement that failed', async () => {
    await newPatient('taken@example.com');
    await expect(db.run(insert, [randomUUID(), 'T', 'taken@example.com'])).rejects.toThrow('duplicate key');
    expect(await db.types()).toEqual([]);
  });

  it('draws positions in the order in which two transactions held the lock of a row', async () => {
    const id = await newPatient('lock@example.com');
    const second = await connect(db.url);
    try {
      // The second transaction has the lower id, and then waits for the row.
      await second.run('BEGIN');
      await second.run('SELECT pg_current_xact_id()');
      await db.run('BEGIN');
      await db.run(`UPDATE patients SET name = 'first' WHERE id = $1`, [id]);
      const waiting = second.run(`UPDATE patients SET name = 'second' WHERE id = $1`, [id]);
      await db.run('COMMIT');
      await waiting;
      await second.run('COMMIT');
      expect((await db.said()).map(([, data]) => data['name'])).toEqual(['first', 'second']);
    } finally {
      await second.client.end();
    }
  });

  it('refuses TRUNCATE, for which no event could be written, and says what to do', async () => {
    await newPatient('t@example.com');
    await expect(db.run('TRUNCATE patients CASCADE')).rejects.toMatchObject({
      message: expect.stringContaining('TRUNCATE of patients is refused'),
      hint: expect.stringContaining('DELETE'),
      code: '0A000',
    });
    expect(await db.run('SELECT 1 FROM patients')).toHaveLength(1);
  });
});
