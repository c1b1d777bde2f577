import { randomUUID } from 'node:crypto';
import { anAppointment, bookAppointment, registerPatient, startApi, type TestApi } from './startApi';

const path = '/api/v1/appointments';
let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const change = (id: string | undefined, patch: object) => api.http.patch(`${path}/${id}`).send(patch);
const act = (id: string | undefined, verb: string) => api.http.post(`${path}/${id}/${verb}`);

describe('booking', () => {
  it('answers 201 with the appointment, BOOKED, and where to find it', async () => {
    const wanted = anAppointment(await registerPatient(api), { reason: 'check-up' });
    const { body, headers } = await api.http.post(path).send(wanted).expect(201);
    expect(body).toEqual({
      ...wanted,
      id: expect.any(String),
      status: 'BOOKED',
      created_at: expect.any(String),
      updated_at: expect.any(String),
    });
    expect((await api.http.get(headers['location'] as string).expect(200)).body).toEqual(body);
  });

  it('takes times with any offset and answers in UTC', async () => {
    const booked = await bookAppointment(api, {
      starts_at: '2031-01-01T12:00:00+02:00',
      ends_at: '2031-01-01T12:30:00+02:00',
    });
    expect(booked).toMatchObject({
      starts_at: '2031-01-01T10:00:00.000Z',
      ends_at: '2031-01-01T10:30:00.000Z',
    });
  });

  it('refuses an unknown patient with 422 that names the field', async () => {
    const { body } = await api.http.post(path).send(anAppointment(randomUUID())).expect(422);
    expect(body).toMatchObject({
      type: 'urn:healthcore:problem:patient-unknown',
      errors: [{ field: 'patient_id', pointer: '#/patient_id' }],
    });
  });

  it.each(['2031-05-05T10:00:00Z', '2031-05-05T09:59:59Z'])(
    'refuses an end at %s, not after the start',
    async (ends_at) => {
      const { body } = await api.http
        .post(path)
        .send(anAppointment(await registerPatient(api), { ends_at, practitioner: '' }))
        .expect(422);
      expect((body as { errors: { field: string }[] }).errors.map(({ field }) => field)).toEqual([
        'practitioner',
        'ends_at',
      ]);
    },
  );

  it('refuses a practitioner who is busy in any part of the period with 409', async () => {
    const { practitioner } = await bookAppointment(api);
    for (const [from, to] of [
      ['10:00', '11:00'],
      ['10:30', '10:45'],
      ['09:00', '10:01'],
      ['10:59', '12:00'],
      ['09:00', '12:00'],
    ]) {
      const wanted = anAppointment(await registerPatient(api), {
        practitioner,
        starts_at: `2031-05-05T${from}:00Z`,
        ends_at: `2031-05-05T${to}:00Z`,
      });
      const { body } = await api.http.post(path).send(wanted).expect(409);
      expect(body).toMatchObject({ type: 'urn:healthcore:problem:practitioner-busy' });
      expect(JSON.stringify(body)).not.toContain(practitioner);
    }
  });

  it('lets an appointment begin when another ends, and in the time of a cancelled one', async () => {
    const { id, practitioner } = await bookAppointment(api);
    await bookAppointment(api, {
      practitioner,
      starts_at: '2031-05-05T11:00:00Z',
      ends_at: '2031-05-05T12:00:00Z',
    });
    await act(id, 'cancel').expect(200);
    await bookAppointment(api, { practitioner });
  });
});

describe('changing', () => {
  it('moves an appointment and leaves the rest', async () => {
    const booked = await bookAppointment(api, { reason: 'r' });
    const { body } = await change(booked['id'], { ends_at: '2031-05-05T10:30:00.000Z' }).expect(200);
    expect(body).toEqual({ ...booked, ends_at: '2031-05-05T10:30:00.000Z', updated_at: expect.any(String) });
  });

  it('refuses to move it into another appointment of the practitioner with 409', async () => {
    const { practitioner } = await bookAppointment(api);
    const later = await bookAppointment(api, {
      practitioner,
      starts_at: '2031-05-05T12:00:00Z',
      ends_at: '2031-05-05T13:00:00Z',
    });
    const { body } = await change(later['id'], { starts_at: '2031-05-05T10:59:00Z' }).expect(409);
    expect(body).toMatchObject({ type: 'urn:healthcore:problem:practitioner-busy' });
  });

  it('refuses, against the times it has, an end that is not after the start', async () => {
    const { id } = await bookAppointment(api);
    const early = await change(id, { ends_at: '2031-05-05T10:00:00Z' }).expect(422);
    expect(early.body).toMatchObject({ errors: [{ field: 'ends_at' }] });
    const late = await change(id, { starts_at: '2031-05-05T11:00:00Z' }).expect(422);
    expect(late.body).toMatchObject({ errors: [{ field: 'starts_at' }] });
  });

  it('refuses another patient or practitioner with 422 that names the field and the way out', async () => {
    const { id, practitioner } = await bookAppointment(api);
    const other = await registerPatient(api);
    const patient = await change(id, { patient_id: other }).expect(422);
    expect(patient.body).toMatchObject({
      type: 'urn:healthcore:problem:field-immutable',
      detail: 'patient_id cannot be changed: cancel the appointment and book another.',
      errors: [{ field: 'patient_id' }],
    });
    const doctor = await change(id, { practitioner: 'Dr Else' }).expect(422);
    expect(doctor.body).toMatchObject({ errors: [{ field: 'practitioner' }] });
    await change(id, { practitioner, reason: 'same practitioner' }).expect(200);
  });

  it.each(['cancel', 'complete'])('refuses to move it after %s, but lets its reason change', async (verb) => {
    const { id } = await bookAppointment(api);
    await act(id, verb).expect(200);
    const { body } = await change(id, { ends_at: '2031-05-05T12:00:00Z' }).expect(409);
    expect(body).toMatchObject({ type: 'urn:healthcore:problem:not-booked' });
    await change(id, { reason: 'noted later', ends_at: '2031-05-05T11:00:00Z' }).expect(200);
  });

  it('replaces times and reason with PUT', async () => {
    const booked = await bookAppointment(api, { reason: 'r' });
    const replacement = {
      patient_id: booked['patient_id'],
      practitioner: booked['practitioner'],
      starts_at: '2031-06-01T08:00:00.000Z',
      ends_at: '2031-06-01T09:00:00.000Z',
    };
    const { body } = await api.http.put(`${path}/${booked['id']}`).send(replacement).expect(200);
    expect(body).toMatchObject({ ...replacement, reason: null, status: 'BOOKED' });
    await api.http.put(`${path}/${booked['id']}`).send({ reason: 'x' }).expect(422);
  });

  it('refuses a status in the body: it changes by cancel and complete', async () => {
    const { id } = await bookAppointment(api);
    const { body } = await change(id, { status: 'CANCELLED' }).expect(422);
    expect(body).toMatchObject({ errors: [{ field: 'status' }] });
  });
});

describe('cancelling and completing', () => {
  it.each([
    ['cancel', 'CANCELLED', 'complete'],
    ['complete', 'COMPLETED', 'cancel'],
  ])('%s once makes it %s, again changes nothing, and %s is refused', async (verb, status, opposite) => {
    const { id } = await bookAppointment(api);
    const first = await act(id, verb).expect(200);
    expect(first.body).toMatchObject({ id, status });
    expect((await act(id, `${verb}/`).send({}).expect(200)).body).toEqual(first.body);
    const refused = await act(id, opposite).expect(409);
    expect(refused.body).toMatchObject({
      type: 'urn:healthcore:problem:transition-refused',
      detail: expect.stringContaining(status.toLowerCase()),
    });
    expect((await api.http.get(`${path}/${id}`)).body).toEqual(first.body);
  });

  it('refuses a body that says anything', async () => {
    const { id } = await bookAppointment(api);
    await act(id, 'cancel').send({ status: 'COMPLETED' }).expect(422);
  });
});

it('deletes an appointment', async () => {
  const { id } = await bookAppointment(api);
  await api.http.delete(`${path}/${id}`).expect(204);
  await api.http.get(`${path}/${id}`).expect(404);
});

it.each([
  ['get', ''],
  ['put', ''],
  ['patch', ''],
  ['delete', ''],
  ['post', '/cancel'],
  ['post', '/complete'],
] as const)('answers %s%s of an unknown id with 404', async (method, suffix) => {
  const body = suffix ? {} : anAppointment(randomUUID());
  await api.http[method](`${path}/${randomUUID()}${suffix}`).send(body).expect(404);
});

it('filters the list by patient, practitioner, status and time', async () => {
  const patient_id = await registerPatient(api);
  const practitioner = `Dr ${randomUUID()}`;
  const at = (hour: number) => `2032-01-01T${String(hour).padStart(2, '0')}:00:00.000Z`;
  const book = (hour: number) =>
    bookAppointment(api, { patient_id, practitioner, starts_at: at(hour), ends_at: at(hour + 1) });
  const [first, second, third] = [await book(8), await book(9), await book(10)];
  await act(second['id'], 'cancel');
  const ids = async (query: Record<string, string>): Promise<string[]> => {
    const { body } = await api.http
      .get(path)
      .query({ practitioner, ...query })
      .expect(200);
    return (body as { items: { id: string }[] }).items.map(({ id }) => id);
  };
  expect(await ids({})).toEqual([first['id'], second['id'], third['id']]);
  expect(await ids({ patient_id })).toHaveLength(3);
  expect(await ids({ patient_id: randomUUID() })).toEqual([]);
  expect(await ids({ status: 'CANCELLED' })).toEqual([second['id']]);
  expect(await ids({ from: at(9) })).toEqual([second['id'], third['id']]);
  expect(await ids({ from: at(9), to: at(10) })).toEqual([second['id']]);
});
