import { waitFor } from '../../support/waitFor';
import {
  aPatient,
  anAppointment,
  bookAppointment,
  registerPatient,
  startApi,
  type TestApi,
} from './startApi';

const path = '/api/v1/appointments';
let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

function counted(answers: { status: number }[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  // Why a request could not be served is only in the log.
  if (answers.some(({ status }) => status >= 500)) throw new Error(api.log.lines().join(''));
  return counts;
}

/** Counted on the connection that holds them up. */
async function sessionsWaiting(): Promise<number> {
  const { rows } = await api.sql.query<{ waiting: number }>(
    `SELECT count(*)::int AS waiting FROM pg_stat_activity
     WHERE datname = current_database() AND wait_event_type = 'Lock'`,
  );
  return rows[0]?.waiting ?? 0;
}

const statusOf = (body: unknown): string => (body as { status: string }).status;

it('gives a slot that 50 ask for at once to exactly one of them', async () => {
  const wanted = anAppointment(await registerPatient(api));
  const answers = await Promise.all(Array.from({ length: 50 }, () => api.http.post(path).send(wanted)));
  expect(counted(answers)).toEqual({ 201: 1, 409: 49 });
});

it('gives a slot that becomes free to one of those who wait for it, without a deadlock', async () => {
  const { id, practitioner, patient_id } = await bookAppointment(api, { practitioner: 'Dr Wanted' });
  await api.sql.query('BEGIN');
  await api.sql.query('DELETE FROM appointments WHERE id = $1', [id]);
  const wanted = anAppointment(patient_id ?? '', { practitioner });
  const answers = Promise.all([1, 2, 3].map(() => api.http.post(path).send(wanted)));
  await waitFor(async () => (await sessionsWaiting()) === 3, { what: 'all three to wait' });
  await api.sql.query('COMMIT');
  expect(counted(await answers)).toEqual({ 201: 1, 409: 2 });
});

it('lets exactly one of many appointments move into a slot', async () => {
  const first = await bookAppointment(api);
  const at = (day: number) => ({
    starts_at: `2031-07-${String(day).padStart(2, '0')}T10:00:00.000Z`,
    ends_at: `2031-07-${String(day).padStart(2, '0')}T11:00:00.000Z`,
  });
  const booked = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      bookAppointment(api, {
        patient_id: first['patient_id'],
        practitioner: first['practitioner'],
        ...at(index + 1),
      }),
    ),
  );
  const answers = await Promise.all(booked.map(({ id }) => api.http.patch(`${path}/${id}`).send(at(30))));
  expect(counted(answers)).toEqual({ 200: 1, 409: 19 });
});

it('lets exactly one of a cancellation and a completion win, and tells the other one why not', async () => {
  for (let round = 0; round < 15; round += 1) {
    const { id } = await bookAppointment(api);
    const verbs = round % 2 === 0 ? ['cancel', 'complete'] : ['complete', 'cancel'];
    const answers = await Promise.all(verbs.map((verb) => api.http.post(`${path}/${id}/${verb}`)));
    expect(counted(answers)).toEqual({ 200: 1, 409: 1 });
    const won = answers.filter(({ status }) => status === 200).map(({ body }) => statusOf(body));
    const { body } = await api.http.get(`${path}/${id}`);
    expect([statusOf(body)]).toEqual(won);
  }
});

it('never moves an appointment that is being cancelled', async () => {
  for (let round = 0; round < 15; round += 1) {
    const { id } = await bookAppointment(api);
    const [cancelled, moved] = await Promise.all([
      api.http.post(`${path}/${id}/cancel`),
      api.http.patch(`${path}/${id}`).send({ ends_at: '2031-05-05T10:30:00.000Z' }),
    ]);
    expect(cancelled.status).toBe(200);
    expect([200, 409]).toContain(moved.status);
    const { body } = await api.http.get(`${path}/${id}`);
    expect(body).toMatchObject({
      status: 'CANCELLED',
      ends_at: moved.status === 200 ? '2031-05-05T10:30:00.000Z' : '2031-05-05T11:00:00.000Z',
    });
  }
});

it('never stores a period that two changes made impossible together', async () => {
  for (let round = 0; round < 15; round += 1) {
    const { id } = await bookAppointment(api);
    const answers = await Promise.all([
      api.http.patch(`${path}/${id}`).send({ starts_at: '2031-05-05T10:40:00.000Z' }),
      api.http.patch(`${path}/${id}`).send({ ends_at: '2031-05-05T10:20:00.000Z' }),
    ]);
    expect(counted(answers)).toEqual({ 200: 1, 422: 1 });
  }
});

it('keeps patients and appointments consistent when a patient is deleted while being booked for', async () => {
  for (let round = 0; round < 15; round += 1) {
    const patient = await registerPatient(api);
    const [deleted, booked] = await Promise.all([
      api.http.delete(`/api/v1/patients/${patient}`),
      api.http.post(path).send(anAppointment(patient)),
    ]);
    expect([`${deleted.status} ${booked.status}`]).toEqual([expect.stringMatching(/^(204 422|409 201)$/)]);
  }
});

it('answers simultaneous changes of one patient one after the other', async () => {
  const id = await registerPatient(api);
  const answers = await Promise.all(
    Array.from({ length: 30 }, () => api.http.put(`/api/v1/patients/${id}`).send(aPatient())),
  );
  expect(counted(answers)).toEqual({ 200: 30 });
});
