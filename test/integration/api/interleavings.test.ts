import { waitFor } from '../../support/waitFor';
import { bookAppointment, startApi, type TestApi } from './startApi';

/*
 * A change that waits for another one of the same appointment decides by what it finds afterwards, not by what it read
 * before. The other one is made by hand and kept open until the request waits for it.
 */

const path = '/api/v1/appointments';
const was = { starts_at: '2031-05-05T10:00:00.000Z', ends_at: '2031-05-05T11:00:00.000Z' };
const moved = { starts_at: '2031-05-05T14:00:00.000Z', ends_at: '2031-05-05T15:00:00.000Z' };

type Request = (api: TestApi, booked: Record<string, string>) => PromiseLike<{ status: number }>;
const put =
  (times: object): Request =>
  (api, { id, patient_id, practitioner }) =>
    api.http.put(`${path}/${id}`).send({ patient_id, practitioner, ...times, reason: 'r' });
const patch =
  (change: object): Request =>
  (api, { id }) =>
    api.http.patch(`${path}/${id}`).send(change);
const act =
  (verb: string): Request =>
  (api, { id }) =>
    api.http.post(`${path}/${id}/${verb}`);
const remove: Request = (api, { id }) => api.http.delete(`${path}/${id}`);

const move = `starts_at = '${moved.starts_at}', ends_at = '${moved.ends_at}'`;
const cancel = "status = 'CANCELLED'";
const complete = "status = 'COMPLETED'";

interface Case {
  readonly request: Request;
  /** What the other one sets meanwhile. */
  readonly meanwhile: string;
  readonly answer: number;
  readonly left: object;
  /** What the request tells. */
  readonly events?: readonly string[];
}

const cases: Record<string, Case> = {
  'a PUT that keeps the times of an appointment that is moved and cancelled': {
    request: put(was),
    meanwhile: `${move}, ${cancel}`,
    answer: 409,
    left: { ...moved, status: 'CANCELLED', reason: null },
  },
  'a PATCH that names the old start of an appointment that is moved and completed': {
    request: patch({ starts_at: was.starts_at, reason: 'r' }),
    meanwhile: `${move}, ${complete}`,
    answer: 409,
    left: { ...moved, status: 'COMPLETED', reason: null },
  },
  'a PUT that moves an appointment that is cancelled': {
    request: put(moved),
    meanwhile: cancel,
    answer: 409,
    left: { ...was, status: 'CANCELLED', reason: null },
  },
  'a PUT that keeps the times of an appointment that is cancelled': {
    request: put(was),
    meanwhile: cancel,
    answer: 200,
    left: { ...was, status: 'CANCELLED', reason: 'r' },
    events: ['appointment.updated'],
  },
  'a PUT that means the times to which a cancelled appointment was moved': {
    request: put(moved),
    meanwhile: `${move}, ${cancel}`,
    answer: 200,
    left: { ...moved, status: 'CANCELLED', reason: 'r' },
    events: ['appointment.updated'],
  },
  'a PUT that keeps the times of an appointment that is moved': {
    request: put(was),
    meanwhile: move,
    answer: 200,
    left: { ...was, status: 'BOOKED', reason: 'r' },
    events: ['appointment.rescheduled', 'appointment.updated'],
  },
  'a change of the reason of an appointment that is moved and cancelled': {
    request: patch({ reason: 'r' }),
    meanwhile: `${move}, ${cancel}`,
    answer: 200,
    left: { ...moved, status: 'CANCELLED', reason: 'r' },
    events: ['appointment.updated'],
  },
  'a cancellation of an appointment that is completed': {
    request: act('cancel'),
    meanwhile: complete,
    answer: 409,
    left: { ...was, status: 'COMPLETED' },
  },
  'a completion of an appointment that is cancelled': {
    request: act('complete'),
    meanwhile: cancel,
    answer: 409,
    left: { ...was, status: 'CANCELLED' },
  },
  'a cancellation of an appointment that is cancelled': {
    request: act('cancel'),
    meanwhile: cancel,
    answer: 200,
    left: { ...was, status: 'CANCELLED' },
  },
  'a cancellation of an appointment that is moved': {
    request: act('cancel'),
    meanwhile: move,
    answer: 200,
    left: { ...moved, status: 'CANCELLED' },
    events: ['appointment.cancelled'],
  },
};

describe.each(['middleware', 'trigger'] as const)('with the %s engine', (engine) => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startApi({ engine });
  });
  afterAll(() => api.stop());

  /** Sends a request and makes another change before it gets its lock. */
  async function interleave(
    request: Request,
    statement: string,
  ): Promise<{ id: string; status: number; events: string[] }> {
    const booked = await bookAppointment(api);
    const { id = '' } = booked;
    await api.sql.query('BEGIN');
    await api.sql.query(statement, [id]);
    const answer = Promise.resolve(request(api, booked));
    await waitFor(async () => (await waitingSessions()) === 1, { what: 'the request to wait' });
    await api.sql.query('COMMIT');
    const { status } = await answer;
    const { rows: events } = await api.sql.query<{ event_type: string }>(
      `SELECT event_type FROM signalbox.outbox WHERE aggregate_id = $1 AND source = 'test-api'
       AND event_type <> 'appointment.booked' ORDER BY position`,
      [id],
    );
    return { id, status, events: events.map(({ event_type }) => event_type) };
  }

  async function waitingSessions(): Promise<number> {
    await api.sql.query('SELECT pg_stat_clear_snapshot()::text');
    const { rows } = await api.sql.query<{ count: number }>(
      `SELECT count(*)::int FROM pg_stat_activity
       WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    return rows[0]?.count ?? 0;
  }

  it.each(Object.entries(cases))('%s', async (_what, { request, meanwhile, answer, left, events = [] }) => {
    const seen = await interleave(request, `UPDATE appointments SET ${meanwhile} WHERE id = $1`);
    expect(seen.status).toBe(answer);
    const { body } = await api.http.get(`${path}/${seen.id}`).expect(200);
    expect(body).toMatchObject(left);
    expect(seen.events).toEqual(events);
  });

  it.each([
    ['a PUT', put(was)],
    ['a PUT that moves it', put(moved)],
    ['a PATCH', patch({ reason: 'r' })],
    ['a cancellation', act('cancel')],
    ['a completion', act('complete')],
    ['a deletion', remove],
  ])('%s of an appointment that is deleted', async (_what, request) => {
    const seen = await interleave(request, 'DELETE FROM appointments WHERE id = $1');
    expect([seen.status, seen.events]).toEqual([404, []]);
  });

  it('a deletion of an appointment that is moved', async () => {
    const seen = await interleave(remove, `UPDATE appointments SET ${move} WHERE id = $1`);
    expect([seen.status, seen.events]).toEqual([204, ['appointment.deleted']]);
  });
});
