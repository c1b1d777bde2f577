import { waitFor } from '../../support/waitFor';
import { aPatient, startApi, type TestApi } from './startApi';

const path = '/api/v1/patients';
let api: TestApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

/** The log lines of requests with this correlation id; a line is written a moment after its answer. */
async function linesOf(correlationId: string, count = 1): Promise<Record<string, unknown>[]> {
  const lines = () =>
    api.log
      .entries()
      .filter((entry) => entry['msg'] === 'request' && entry['correlationId'] === correlationId);
  await waitFor(() => lines().length >= count, { what: 'the log line of the request' });
  return lines();
}

describe('the correlation id', () => {
  it.each(['x-correlation-id', 'x-request-id'])('is taken from %s, answered and logged', async (header) => {
    const id = `from.${header}_1`;
    const { headers } = await api.http.get(path).set(header, id).expect(200);
    expect(headers).toMatchObject({ 'x-correlation-id': id, 'x-request-id': id });
    expect(await linesOf(id)).toHaveLength(1);
  });

  it('of x-correlation-id goes before that of x-request-id', async () => {
    const { headers } = await api.http.get(path).set({ 'x-request-id': 'r', 'x-correlation-id': 'c' });
    expect(headers['x-correlation-id']).toBe('c');
  });

  it.each(['', ' ', 'a b', 'a"b', '<script>', 'a,b', 'é', 'x'.repeat(129)])(
    'is made up when %j is given',
    async (id) => {
      const { headers } = await api.http
        .get(path)
        .set('x-correlation-id', Buffer.from(id).toString('latin1'));
      expect(headers['x-correlation-id']).toMatch(/^[0-9a-f-]{36}$/);
    },
  );

  it('is in every problem document, also of an unknown address', async () => {
    const { body } = await api.http.get('/nowhere').set('x-correlation-id', 'abc').expect(404);
    expect(body).toMatchObject({ correlation_id: 'abc' });
  });
});

it('logs one line per request: the pattern of the route and neither address nor query', async () => {
  const { body } = await api.http.post(path).send(aPatient());
  const { id } = body as { id: string };
  for (const address of [`${path}/${id}`, `${path}?limit=7`, '/some/unknown/address']) {
    await api.http.get(address).set('x-correlation-id', 'three');
  }
  const lines = await linesOf('three', 3);
  expect(lines).toEqual([
    expect.objectContaining({
      method: 'GET',
      route: '/api/v1/patients/:id',
      status: 200,
      ms: expect.any(Number),
    }),
    expect.objectContaining({ route: '/api/v1/patients', status: 200 }),
    expect.objectContaining({ route: '(unmatched)', status: 404 }),
  ]);
  expect(JSON.stringify(lines)).not.toMatch(new RegExp(`${id}|limit|unknown/address`));
});

it('counts requests by method, pattern and status', async () => {
  await api.http
    .get(`${path}/01890000-0000-7000-8000-000000000000`)
    .set('x-correlation-id', 'counted')
    .expect(404);
  await linesOf('counted');
  const { text, headers } = await api.http.get('/metrics').expect(200);
  expect(headers['content-type']).toMatch(/^text\/plain/);
  const counts = text.split('\n').filter((line) => line.startsWith('http_request_duration_seconds_count'));
  expect(counts).toContainEqual(
    expect.stringContaining('method="GET",route="/api/v1/patients/:id",status="404"'),
  );
});

it('tells browsers neither to cache, nor to guess, nor who we are', async () => {
  for (const address of [path, '/nowhere', '/livez']) {
    const { headers } = await api.http.get(address);
    expect(headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
    expect(headers).not.toHaveProperty('x-powered-by');
    expect(headers).not.toHaveProperty('etag');
  }
});
