import { randomUUID } from 'node:crypto';
import { aPatient, bookAppointment, startApi, type TestApi } from './startApi';

const path = '/api/v1/patients';
let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

async function create(overrides: Record<string, unknown> = {}): Promise<Record<string, string>> {
  const { body } = await api.http.post(path).send(aPatient(overrides)).expect(201);
  return body as Record<string, string>;
}

describe('registering a patient', () => {
  it('answers 201 with the patient and where to find it', async () => {
    const given = aPatient({
      phone: '+44 20 7946 0000',
      date_of_birth: '1980-02-29',
      clinical_notes: 'a\nb',
    });
    const { body, headers } = await api.http.post(`${path}/`).send(given).expect(201);
    expect(body).toEqual({
      ...given,
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/),
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      updated_at: expect.any(String),
    });
    const location = headers['location'] as string;
    expect((await api.http.get(location).expect(200)).body).toEqual(body);
    expect((await api.http.get(`${location}/`).expect(200)).body).toEqual(body);
  });

  it('fills what is not given with null', async () => {
    expect(await create()).toMatchObject({ phone: null, date_of_birth: null, clinical_notes: null });
  });

  it('keeps names and notes of any script, quotes and SQL as they are', async () => {
    const name = `Zoë O'Brien; DROP TABLE patients; -- 李小龍 👩‍⚕️ \${name} %s`;
    expect(await create({ name, clinical_notes: name })).toMatchObject({ name, clinical_notes: name });
  });

  it('refuses an e-mail address that another patient has, in whatever case, with 409', async () => {
    const { email } = await create();
    for (const again of [email, email?.toUpperCase()]) {
      const { body } = await api.http
        .post(path)
        .send(aPatient({ email: again }))
        .expect(409);
      expect(body).toMatchObject({
        type: 'urn:healthcore:problem:email-taken',
        status: 409,
        errors: [{ field: 'email', pointer: '#/email' }],
      });
      expect(JSON.stringify(body)).not.toContain(again);
    }
  });

  it('lets exactly one of many simultaneous registrations have an address', async () => {
    const email = `${randomUUID()}@example.com`;
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => api.http.post(path).send(aPatient({ email }))),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(19);
  });
});

describe('changing a patient', () => {
  it('changes with PATCH only what is named, and empties what is null', async () => {
    const patient = await create({ phone: '1', clinical_notes: 'n' });
    const { body } = await api.http.patch(`${path}/${patient['id']}`).send({ phone: null, name: 'New' });
    expect(body).toEqual({
      ...patient,
      name: 'New',
      phone: null,
      updated_at: (body as typeof patient)['updated_at'],
    });
  });

  it('accepts a JSON merge patch by its own media type', async () => {
    const { id } = await create();
    await api.http
      .patch(`${path}/${id}`)
      .set('content-type', 'application/merge-patch+json')
      .send('{"phone":"2"}')
      .expect(200);
  });

  it('replaces with PUT all fields, so that those not named become null', async () => {
    const patient = await create({ phone: '1', clinical_notes: 'n', date_of_birth: '2000-01-01' });
    const replacement = aPatient();
    const { body } = await api.http.put(`${path}/${patient['id']}`).send(replacement).expect(200);
    expect(body).toMatchObject({
      ...replacement,
      id: patient['id'],
      phone: null,
      clinical_notes: null,
      date_of_birth: null,
    });
  });

  it('refuses an address that another patient has with 409', async () => {
    const [first, second] = [await create(), await create()];
    await api.http.patch(`${path}/${second['id']}`).send({ email: first['email'] }).expect(409);
  });

  it('refuses a patch that names nothing, and a replacement that lacks what is required', async () => {
    const { id } = await create();
    await api.http.patch(`${path}/${id}`).send({}).expect(422);
    const { body } = await api.http.put(`${path}/${id}`).send({}).expect(422);
    expect((body as { errors: { field: string }[] }).errors.map(({ field }) => field)).toEqual([
      'name',
      'email',
    ]);
  });
});

describe('deleting a patient', () => {
  it('answers 204 without a body, and 404 from then on', async () => {
    const { id } = await create();
    const { text } = await api.http.delete(`${path}/${id}`).expect(204);
    expect(text).toBe('');
    await api.http.get(`${path}/${id}`).expect(404);
    await api.http.delete(`${path}/${id}`).expect(404);
  });

  it('is refused with 409 while there are appointments, and possible after they are gone', async () => {
    const { id, patient_id } = await bookAppointment(api);
    const { body } = await api.http.delete(`${path}/${patient_id}`).expect(409);
    expect(body).toMatchObject({ type: 'urn:healthcore:problem:patient-has-appointments' });
    await api.http.delete(`/api/v1/appointments/${id}`).expect(204);
    await api.http.delete(`${path}/${patient_id}`).expect(204);
  });
});

it.each(['get', 'put', 'patch', 'delete'] as const)(
  'answers %s of an unknown id with 404',
  async (method) => {
    const { body } = await api.http[method](`${path}/${randomUUID()}`).send(aPatient()).expect(404);
    expect(body).toMatchObject({ type: 'urn:healthcore:problem:not-found', title: 'Not found', status: 404 });
  },
);
