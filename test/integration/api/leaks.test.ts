import { Client } from 'pg';
import { anAppointment, startApi, type TestApi } from './startApi';

/*
 * Guards patients' data: markers are planted in every field and in requests of every bad kind, then looked for in
 * everything that leaves the service without being the answer to a good request.
 */

const marker = 'MARKERq7x';
const patients = '/api/v1/patients';
let api: TestApi;
const shown: string[] = [];

beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

/** Keeps what is said about a bad request: the whole answer, headers and all. */
async function bad(request: PromiseLike<{ status: number; headers: unknown; text: string }>): Promise<void> {
  const { status, headers, text } = await request;
  expect(status).toBeGreaterThanOrEqual(400);
  shown.push(JSON.stringify(headers), text);
}

const planted = {
  name: `Name ${marker}`,
  email: `${marker}@example.com`,
  phone: `+1 ${marker}`,
  date_of_birth: '1971-03-14',
  clinical_notes: `Notes\n    at ${marker} (${marker}:1:1)`,
};

it('plants the markers in good and bad requests', async () => {
  const { body } = await api.http.post(patients).send(planted).expect(201);
  const { id } = body as { id: string };
  const appointment = anAppointment(id, { practitioner: `Dr ${marker}`, reason: `Reason ${marker}` });
  await api.http.post('/api/v1/appointments').send(appointment).expect(201);
  await api.http
    .get('/api/v1/appointments')
    .query({ practitioner: `Dr ${marker}` })
    .expect(200);

  await bad(api.http.post(patients).send(planted));
  await bad(api.http.post('/api/v1/appointments').send(appointment));
  await bad(api.http.delete(`${patients}/${id}`));
  await bad(api.http.post(patients).set('content-type', 'application/json').send(`{"name": ${marker}`));
  await bad(api.http.post(patients).set('content-type', `text/${marker}`).send(marker));
  await bad(api.http.post(patients).set('content-type', `application/json; charset=${marker}`).send('{}'));
  await bad(api.http.get(`${patients}/${marker}`));
  await bad(api.http.get(`/${marker}`));
  await bad(api.http.get(`${patients}/%${marker}`));
  await bad(api.http.get(`${patients}?cursor=${marker}&limit=${marker}&${marker}@=1`));
  await bad(api.http.get('/api/v1/appointments').query({ status: marker, from: marker }));
  await bad(api.http.get(patients).set('x-actor-id', `${marker}\t${marker}`));
  await api.http
    .get(patients)
    .set({ 'x-correlation-id': `${marker} x`, traceparent: marker })
    .expect(200);
  for (const field of Object.keys(planted)) {
    for (const value of [[marker], { [marker]: 1 }, `${marker}\0`, marker.repeat(3_000)]) {
      await bad(api.http.patch(`${patients}/${id}`).send({ [field]: value }));
    }
  }
});

it('plants them in an unexpected failure and in a database error whose text quotes the row', async () => {
  const admin = new Client({ connectionString: api.database.url });
  await admin.connect();
  try {
    await admin.query(
      `ALTER TABLE patients ADD CONSTRAINT unforeseen CHECK (phone <> '+2 ${marker}') NOT VALID`,
    );
    const { body } = await api.http
      .post(patients)
      .send({ ...planted, email: `second-${marker}@example.com`, phone: `+2 ${marker}` })
      .expect(500);
    expect(body).toEqual({
      type: 'about:blank',
      title: 'Internal server error',
      status: 500,
      detail: expect.any(String),
      correlation_id: expect.any(String),
    });
    shown.push(JSON.stringify(body));
  } finally {
    await admin.end();
  }
});

it('finds them in no log line, no metric and no answer to a bad request', async () => {
  const log = api.log.lines().join('\n');
  expect(log).toContain('a request failed');
  const everything = [log, await api.metrics.metrics(), ...shown].join('\n').toLowerCase();
  expect(everything).not.toContain(marker.toLowerCase());
  expect(everything).not.toContain('1971-03-14');
});
