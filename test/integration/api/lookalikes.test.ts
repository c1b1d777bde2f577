/** What looks alike is one thing, whichever way it is written: by the API's callers, or past it. */
import { randomUUID } from 'node:crypto';
import {
  aPatient,
  anAppointment,
  bookAppointment,
  registerPatient,
  startApi,
  type TestApi,
} from './startApi';

const patients = '/api/v1/patients';
const appointments = '/api/v1/appointments';
let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const insertAppointment = (patientId: string, practitioner: string): Promise<unknown> =>
  api.sql.query(
    `INSERT INTO appointments (id, patient_id, practitioner, starts_at, ends_at, updated_at)
     VALUES (gen_random_uuid(), $1, $2, '2031-05-05T10:30:00Z', '2031-05-05T11:30:00Z', now())`,
    [patientId, practitioner],
  );
const insertPatient = (values: { name?: string; email?: string }): Promise<unknown> =>
  api.sql.query(
    `INSERT INTO patients (id, name, email, updated_at) VALUES (gen_random_uuid(), $1, $2, now())`,
    [values.name ?? 'Ann', values.email ?? `${randomUUID()}@example.com`],
  );

/** The same practitioner, and how each spelling is shown. */
const spellings: readonly [what: string, name: string, shown: string][] = [
  ['composed letters', 'Dr Zo\u00EB O\u2019Hara', 'Dr Zo\u00EB O\u2019Hara'],
  ['letters and marks apart', 'Dr Zoe\u0308 O\u2019Hara', 'Dr Zo\u00EB O\u2019Hara'],
  ['a zero-width space before the mark', 'Dr Zoe\u200B\u0308 O\u2019Hara', 'Dr Zo\u00EB O\u2019Hara'],
  ['two blanks', 'Dr  Zo\u00EB O\u2019Hara', 'Dr Zo\u00EB O\u2019Hara'],
  ['blanks around it', ' Dr Zo\u00EB O\u2019Hara\u3000', 'Dr Zo\u00EB O\u2019Hara'],
  ['a non-breaking blank', 'Dr\u00A0Zo\u00EB O\u2019Hara', 'Dr Zo\u00EB O\u2019Hara'],
  [
    'a blank of another width, and a Braille one',
    'Dr\u2009Zo\u00EB\u2800O\u2019Hara',
    'Dr Zo\u00EB O\u2019Hara',
  ],
  ['a zero-width space', 'Dr Zo\u00EB O\u2019\u200BHara', 'Dr Zo\u00EB O\u2019Hara'],
  ['a byte order mark and a soft hyphen', '\uFEFFDr Zo\u00EB O\u2019Ha\u00ADra', 'Dr Zo\u00EB O\u2019Hara'],
  ['marks of direction', '\u202ADr Zo\u00EB\u202C O\u2019Hara\u200F', 'Dr Zo\u00EB O\u2019Hara'],
  ['a joiner', 'Dr Zo\u00EB O\u2019Ha\u200Dra', 'Dr Zo\u00EB O\u2019Ha\u200Dra'],
  ['upper case', 'DR ZO\u00CB O\u2019HARA', 'DR ZO\u00CB O\u2019HARA'],
  ['a typewriter’s apostrophe', "dr zo\u00EB o'hara", "dr zo\u00EB o'hara"],
  ['letters of full width', '\uFF24\uFF32 Zo\u00EB O\u2019Hara', '\uFF24\uFF32 Zo\u00EB O\u2019Hara'],
];

describe.each(spellings)('a practitioner written with %s', (_what, name, shown) => {
  it('is shown as it reads, found by every spelling, and booked once whoever asks', async () => {
    const prefix = `${randomUUID()} `;
    const booked = await bookAppointment(api, { practitioner: prefix + name });
    expect(booked['practitioner']).toBe(prefix + shown);
    const patient = await registerPatient(api);
    const again = anAppointment(patient, { practitioner: `${prefix}Dr Zo\u00EB O\u2019Hara` });
    await api.http.post(appointments).send(again).expect(409);
    await expect(insertAppointment(patient, `${prefix}Dr Zo\u00EB O\u2019Hara`)).rejects.toThrow(
      'appointments_practitioner_free',
    );
    const { body } = await api.http.get(appointments).query({ practitioner: `${prefix}dr zo\u00EB o'hara` });
    expect((body as { items: { id: string }[] }).items.map(({ id }) => id)).toEqual([booked['id']]);
    // A PUT with another spelling names the same practitioner, who keeps the first.
    const { patient_id, starts_at, ends_at } = booked;
    const put = { patient_id, practitioner: `${prefix}dr zo\u00EB o'hara`, starts_at, ends_at };
    const { body: changed } = await api.http.put(`${appointments}/${booked['id']}`).send(put).expect(200);
    expect(changed).toMatchObject({ practitioner: prefix + shown });
  });
});

it('a practitioner who is another one is another one', async () => {
  const booked = await bookAppointment(api, { practitioner: 'Dr Zo\u00EB' });
  await bookAppointment(api, { practitioner: 'Dr Zoe' });
  await api.http.patch(`${appointments}/${booked['id']}`).send({ practitioner: 'Dr Zoe' }).expect(422);
});

it.each([
  ['two blanks', 'Dr  B'],
  ['a non-breaking blank', 'Dr\u00A0B'],
  ['letters and marks apart', 'Dr Zoe\u0308'],
  ['a zero-width space', 'Dr\u200B B'],
  ['a line break', 'Dr\nB'],
  ['a blank at the end', 'Dr B '],
  ['nothing', ''],
])('the database takes no name with %s from whoever writes past the API', async (_what, name) => {
  const patient = await registerPatient(api);
  await expect(insertAppointment(patient, name)).rejects.toThrow('appointments_practitioner_is_clean');
  await expect(insertPatient({ name })).rejects.toThrow('patients_name_is_clean');
  const { rows } = await api.sql.query<{ clean: string }>('SELECT clean_line($1) AS clean', [name]);
  if (rows[0]?.clean) await insertPatient({ name: rows[0].clean });
});

it.each([
  ['a zero-width space', '\u200B'],
  ['joiners', '\u200D\u200C'],
  ['a Hangul filler', '\u3164'],
  ['an empty Braille pattern', '\u2800'],
  ['a variation selector', '\uFE0F'],
  ['blanks and a soft hyphen', '\u00A0\u00AD\u2003'],
  ['a tag of no flag', '\u{E0041}'],
])('nobody is called %s', async (_what, name) => {
  await api.http.post(patients).send(aPatient({ name })).expect(422);
  const patient = await registerPatient(api);
  await api.http
    .post(appointments)
    .send(anAppointment(patient, { practitioner: name }))
    .expect(422);
  await expect(insertPatient({ name })).rejects.toThrow('patients_name_is_clean');
  await expect(insertAppointment(patient, name)).rejects.toThrow('appointments_practitioner_is_clean');
});

it.each([
  'Ada',
  'Zo\u00EB \u{1FA7A}\u{1F469}\u200D\u2695\uFE0F',
  '\u0645\u06CC\u200C\u062E\u0648\u0627\u0647\u0645',
  '\u{1F3F4}\u{E0067}\u{E0062}\u{E0077}\u{E006C}\u{E0073}\u{E007F}',
  '\u5F20\u4E09',
  'STRAU\u1E9E',
  '\uFB00',
])('the name %j is stored and published letter for letter', async (name) => {
  const { body } = await api.http.post(patients).send(aPatient({ name })).expect(201);
  expect(body).toMatchObject({ name });
  const { id } = body as { id: string };
  const { rows } = await api.sql.query('SELECT data FROM signalbox.outbox WHERE aggregate_id = $1', [id]);
  expect(rows).toMatchObject([{ data: { name } }]);
});

describe('an e-mail address', () => {
  it.each([
    ['Ada.%@EXAMPLE.com', 'ada.%@example.com'],
    ['r&d.%@example.com', 'R&D.%@Example.Com'],
    ['%@bücher.example', '%@xn--bcher-kva.example'],
    ['%@bu\u0308cher.example', '%@BÜCHER.example'],
  ])('%s belongs to one patient, as %s too', async (one, other) => {
    const id = randomUUID();
    const [email, same] = [one.replace('%', id), other.replace('%', id)];
    const { body } = await api.http.post(patients).send(aPatient({ email })).expect(201);
    await api.http
      .post(patients)
      .send(aPatient({ email: same }))
      .expect(409);
    await expect(insertPatient({ email: (body as { email: string }).email })).rejects.toThrow(
      'patients_email_key',
    );
  });

  it.each([
    '\u212Aate@example.com',
    'kate@\u212Aelvin.example',
    'k\u200Bate@example.com',
    'käte@example.com',
  ])('%j is refused, and becomes no other one', async (email) => {
    await api.http.post(patients).send(aPatient({ email })).expect(422);
    await expect(insertPatient({ email })).rejects.toThrow('patients_email_is_lower_case_ascii');
  });

  it.each(['Kate@example.com', 'kate@Example.com', '', 'ka te@example.com'])(
    '%j is not stored by whoever writes past the API',
    async (email) => {
      await expect(insertPatient({ email })).rejects.toThrow('patients_email_is_lower_case_ascii');
    },
  );
});

describe('the day of birth', () => {
  const day = (hours: number): string => new Date(Date.now() + hours * 3_600_000).toISOString().slice(0, 10);
  it('may be today wherever it is today already, and no later', async () => {
    await api.http
      .post(patients)
      .send(aPatient({ date_of_birth: day(14) }))
      .expect(201);
    await api.http
      .post(patients)
      .send(aPatient({ date_of_birth: day(14 + 24) }))
      .expect(422);
  });
});

describe('times that cannot be read', () => {
  const columns: [table: string, column: string][] = [
    ['patients', 'date_of_birth'],
    ['patients', 'created_at'],
    ['patients', 'updated_at'],
    ['appointments', 'starts_at'],
    ['appointments', 'ends_at'],
    ['appointments', 'created_at'],
    ['appointments', 'updated_at'],
  ];
  it.each(
    columns.flatMap(([table, column]) =>
      ['infinity', '-infinity', '0044-03-15 BC', '10000-01-02'].map(
        (value) => [table, column, value] as const,
      ),
    ),
  )('are kept out of %s.%s: %s', async (table, column, value) => {
    await bookAppointment(api);
    await expect(api.sql.query(`UPDATE ${table} SET ${column} = '${value}'`)).rejects.toThrow(
      /violates check constraint "\w+"|field "\w+" holds a value/,
    );
    await api.http.get(`/api/v1/${table}`).expect(200);
  });

  it.each(['0001-01-01', '9999-12-30'])('are not those of the year %s', async (value) => {
    const { id, patient_id } = await bookAppointment(api);
    await api.sql.query(
      `UPDATE appointments SET created_at = $1::date, starts_at = $1::date, ends_at = $1::date + 1 WHERE id = $2`,
      [value, id],
    );
    await api.sql.query(`UPDATE patients SET created_at = $1::date, date_of_birth = $1::date WHERE id = $2`, [
      value,
      patient_id,
    ]);
    const { body } = await api.http.get(`${appointments}?patient_id=${patient_id}`).expect(200);
    expect(body).toMatchObject({ items: [{ starts_at: `${value}T00:00:00.000Z` }] });
    const { body: patient } = await api.http.get(`${patients}/${patient_id}`).expect(200);
    expect(patient).toMatchObject({ date_of_birth: value, created_at: `${value}T00:00:00.000Z` });
  });
});

it('an id without a version is an id everywhere, in any case', async () => {
  const id = '11111111-1111-1111-1111-1111abcdef11';
  await api.sql.query(
    `INSERT INTO patients (id, name, email, updated_at) VALUES ($1, 'Ones', 'ones@example.com', now())`,
    [id],
  );
  await api.http.get(`${patients}/${id.toUpperCase()}`).expect(200);
  const { body } = await api.http.post(appointments).send(anAppointment(id.toUpperCase())).expect(201);
  expect(body).toMatchObject({ patient_id: id });
  await api.http.get(appointments).query({ patient_id: id.toUpperCase() }).expect(200);
});

describe('who asks', () => {
  const store = async (actor: string | Buffer) => {
    const header = typeof actor === 'string' ? actor : actor.toString('latin1');
    // Not supertest: Node writes the headers of a request as UTF-8 where its body is a text.
    const answer = await fetch(api.http.post(patients).url, {
      method: 'POST',
      headers: { 'x-actor-id': header, 'content-type': 'application/json' },
      body: JSON.stringify(aPatient()),
    });
    const { id } = (await answer.json()) as { id?: string };
    const { rows } = await api.sql.query<{ actor: string | null }>(
      'SELECT actor FROM signalbox.outbox WHERE aggregate_id = $1',
      [id],
    );
    return { status: answer.status, actor: rows[0]?.actor };
  };

  it.each([
    'ada_example.com#EXT#@tenant.onmicrosoft.example',
    'CLINIC\\ada',
    'CN=Ada Lovelace,OU=Staff,O="Clinic, Ltd"',
    "o'hara%20{7}/*x*/",
    'auth0|5f7c@clinic',
    '\\',
    'x'.repeat(300),
  ])('may be written %j', async (actor) => {
    expect(await store(actor)).toEqual({ status: 201, actor });
  });

  it('may be written in any alphabet, as UTF-8 or as Latin-1', async () => {
    expect(await store(Buffer.from('Zoë 🩺'))).toEqual({ status: 201, actor: 'Zoë 🩺' });
    expect(await store(Buffer.from('Zoë', 'latin1'))).toEqual({ status: 201, actor: 'Zoë' });
  });

  it.each([
    ['what cannot be seen', Buffer.from('ada\u200B')],
    ['a tab', Buffer.from('ada\tb')],
    ['a control character of Latin-1', Buffer.from('ada\u0085', 'latin1')],
    ['more than an event can hold', Buffer.from('x'.repeat(301))],
    ['more than an event can hold, percent-encoded', Buffer.from('é'.repeat(51))],
    ['nothing', Buffer.from('')],
  ])('may not be written with %s', async (_what, actor) => {
    expect((await store(actor)).status).toBe(400);
  });

  it('is asked once: a caller’s header beside the gateway’s is refused', async () => {
    const answer = await api.http
      .post(patients)
      .set('x-actor-id', ['forged', 'ada'] as unknown as string)
      .send(aPatient());
    expect(answer.status).toBe(400);
  });
});
