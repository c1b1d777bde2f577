import { aPatient, bookAppointment, startApi, type TestApi } from './startApi';

/** What requests leave in the outbox, for the relay to publish. */
let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

interface OutboxRow {
  event_type: string;
  aggregate_id: string;
  source: string;
  correlation_id: string | null;
  actor: string | null;
  traceparent: string | null;
  data: Record<string, unknown>;
}

async function eventsOf(aggregateId: string | undefined): Promise<OutboxRow[]> {
  const { rows } = await api.sql.query<OutboxRow>(
    'SELECT * FROM signalbox.outbox WHERE aggregate_id = $1 ORDER BY position',
    [aggregateId],
  );
  return rows;
}
const typesOf = async (id: string | undefined) => (await eventsOf(id)).map(({ event_type }) => event_type);
const act = (id: string | undefined, verb: string) => api.http.post(`/api/v1/appointments/${id}/${verb}`);

it('says with each event who asked, in which request and in which trace', async () => {
  const headers = {
    'x-correlation-id': 'request-17',
    'x-actor-id': 'auth0|clerk-4',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  };
  const given = aPatient({ clinical_notes: 'secret', date_of_birth: '1980-01-01' });
  const { body } = await api.http.post('/api/v1/patients').set(headers).send(given).expect(201);
  const { id } = body as { id: string };
  expect(await eventsOf(id)).toEqual([
    expect.objectContaining({
      event_type: 'patient.created',
      source: 'test-api',
      correlation_id: 'request-17',
      actor: 'auth0|clerk-4',
      traceparent: headers.traceparent,
      data: { patient_id: id, name: given['name'], email: given['email'], phone: null },
    }),
  ]);
});

it('keeps the contexts of simultaneous requests apart', async () => {
  const created = await Promise.all(
    Array.from({ length: 20 }, async (_, index) => {
      const request = api.http.post('/api/v1/patients').set('x-correlation-id', `r-${index}`);
      const { body } = await request.send(aPatient()).expect(201);
      return { id: (body as { id: string }).id, correlationId: `r-${index}` };
    }),
  );
  for (const { id, correlationId } of created) {
    expect(await eventsOf(id)).toMatchObject([
      { correlation_id: correlationId, actor: null, traceparent: null },
    ]);
  }
});

it('tells a cancellation once, with the status before, however often it is asked for', async () => {
  const { id, patient_id } = await bookAppointment(api);
  await Promise.all([act(id, 'cancel').expect(200), act(id, 'cancel').expect(200)]);
  await act(id, 'cancel').expect(200);
  await act(id, 'complete').expect(409);
  const [booked, cancelled, ...others] = await eventsOf(id);
  expect(booked?.event_type).toBe('appointment.booked');
  expect(cancelled).toMatchObject({
    event_type: 'appointment.cancelled',
    data: { appointment_id: id, patient_id, status: 'CANCELLED', previous_status: 'BOOKED' },
  });
  expect(others).toEqual([]);
});

it('tells of a move, a completion and a deletion, and that a reason changed, but not to what', async () => {
  const { id, patient_id } = await bookAppointment(api, { reason: 'MARKERq7x' });
  const path = `/api/v1/appointments/${id}`;
  await api.http.patch(path).send({ reason: 'MARKERq8x' }).expect(200);
  await api.http.patch(path).send({ reason: 'MARKERq8x' }).expect(200);
  await api.http.patch(path).send({ ends_at: '2031-05-05T10:30:00Z' }).expect(200);
  await act(id, 'complete').expect(200);
  await api.http.delete(path).expect(204);
  expect(await typesOf(id)).toEqual([
    'appointment.booked',
    'appointment.updated',
    'appointment.rescheduled',
    'appointment.completed',
    'appointment.deleted',
  ]);
  const [, updated] = await eventsOf(id);
  expect(updated?.data).toEqual({
    appointment_id: id,
    patient_id,
    status: 'BOOKED',
    changed_fields: ['reason'],
  });
  expect(JSON.stringify(await eventsOf(id))).not.toMatch(/MARKER/);
});

it('tells which fields of a patient changed, and nothing when none did', async () => {
  const { body } = await api.http.post('/api/v1/patients').send(aPatient()).expect(201);
  const { id } = body as { id: string };
  await api.http.patch(`/api/v1/patients/${id}`).send({ phone: '5', clinical_notes: 'n' }).expect(200);
  await api.http.patch(`/api/v1/patients/${id}`).send({ phone: '5' }).expect(200);
  await api.http.delete(`/api/v1/patients/${id}`).expect(204);
  const events = await eventsOf(id);
  expect(events.map(({ event_type }) => event_type)).toEqual([
    'patient.created',
    'patient.updated',
    'patient.deleted',
  ]);
  expect(events[1]?.data).toMatchObject({ phone: '5', changed_fields: ['phone', 'clinical_notes'] });
});

it('leaves no event of a request that was refused', async () => {
  const { practitioner } = await bookAppointment(api);
  const { rows: before } = await api.sql.query('SELECT count(*) FROM signalbox.outbox');
  const { body } = await api.http.post('/api/v1/patients').send(aPatient()).expect(201);
  const { id } = body as { id: string };
  await api.http
    .post('/api/v1/appointments')
    .send({
      patient_id: id,
      practitioner,
      starts_at: '2031-05-05T10:30:00Z',
      ends_at: '2031-05-05T11:30:00Z',
    })
    .expect(409);
  const { rows: after } = await api.sql.query('SELECT count(*) - 1 AS count FROM signalbox.outbox');
  expect(after).toEqual(before);
});
