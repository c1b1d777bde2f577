import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import {
  aPatient,
  anAppointment,
  bookAppointment,
  registerPatient,
  startApi,
  type TestApi,
} from './startApi';

/*
 * Whatever is sent, the answer is a problem document that names what is to blame, never a 500, and never what was
 * sent.
 */

const patients = '/api/v1/patients';
const appointments = '/api/v1/appointments';
let api: TestApi;
let patientId: string;
let appointmentId: string;

beforeAll(async () => {
  api = await startApi();
  patientId = await registerPatient(api);
  appointmentId = (await bookAppointment(api))['id'] ?? '';
});
afterAll(() => api.stop());

interface ProblemBody {
  type: string;
  title: string;
  status: number;
  detail: string;
  correlation_id: string;
  errors?: { field: string; pointer?: string; message: string }[];
}

function expectProblem(
  answer: { status: number; headers: object; body: unknown },
  status: number,
): ProblemBody {
  expect(answer.status).toBe(status);
  const headers = answer.headers as Record<string, string>;
  expect(headers['content-type']).toMatch(/^application\/problem\+json/);
  const body = answer.body as ProblemBody;
  expect(body).toMatchObject({
    type: expect.stringMatching(/^(about:blank|urn:healthcore:problem:.+)$/),
    title: expect.stringMatching(/./),
    status,
    correlation_id: headers['x-correlation-id'],
  });
  return body;
}

const blamed = (body: ProblemBody): string[] => (body.errors ?? []).map(({ field }) => field);
const nul = String.fromCharCode(0);

describe('a field of a patient', () => {
  it.each([
    ['name', undefined],
    ['name', null],
    ['name', ''],
    ['name', '   '],
    ['name', 7],
    ['name', ['x']],
    ['name', { $ne: null }],
    ['name', 'x'.repeat(201)],
    ['name', `a${nul}b`],
    ['name', 'two\nlines'],
    ['name', 'half a pair \ud83d'],
    ['name', '\udc00'],
    ['email', undefined],
    ['email', 'no-at-sign'],
    ['email', `${'a'.repeat(250)}@example.com`],
    ['email', `a${nul}@example.com`],
    ['email', 'a@example.com, b@example.com'],
    ['phone', 12],
    ['phone', '1'.repeat(41)],
    ['phone', `1${nul}`],
    ['date_of_birth', '2999-01-01'],
    ['date_of_birth', '1849-12-31'],
    ['date_of_birth', '1980-02-30'],
    ['date_of_birth', '1981-02-29'],
    ['date_of_birth', '01.02.1980'],
    ['date_of_birth', '1980-01-01T00:00:00Z'],
    ['date_of_birth', 19800101],
    ['clinical_notes', 'x'.repeat(20_001)],
    ['clinical_notes', `a${nul}`],
    ['clinical_notes', '\ud800'],
    ['clinical_notes', ['a']],
    ['id', '01890000-0000-7000-8000-000000000000'],
    ['created_at', '2020-01-01T00:00:00Z'],
    ['constructor', {}],
    ['nickname', 'x'],
  ])('%s = %j is refused and named', async (field, value) => {
    const created = expectProblem(await api.http.post(patients).send(aPatient({ [field]: value })), 422);
    expect(blamed(created)).toEqual([field]);
    expect(created.errors?.[0]?.pointer).toBe(`#/${field}`);
    expect(created.detail).toContain(field);
    if (value === undefined) return;
    const patched = expectProblem(
      await api.http.patch(`${patients}/${patientId}`).send({ [field]: value }),
      422,
    );
    expect(blamed(patched)).toEqual([field]);
  });
});

describe('a field of an appointment', () => {
  it.each([
    ['patient_id', 'nope'],
    ['patient_id', 17],
    ['patient_id', null],
    ['practitioner', ''],
    ['practitioner', nul],
    ['starts_at', 'tomorrow'],
    ['starts_at', '2031-05-05'],
    ['starts_at', '2031-05-05T09:00:00'],
    ['starts_at', '2031-02-30T09:00:00Z'],
    ['starts_at', '0000-01-01T00:00:00Z'],
    ['starts_at', 1_000],
    ['ends_at', '9999-12-31T23:59:59Z'],
    ['ends_at', '2031-05-05T25:00:00Z'],
    ['ends_at', {}],
    ['reason', 'x'.repeat(2_001)],
    ['reason', `x${nul}`],
    ['status', 'COMPLETED'],
    ['updated_at', '2031-05-05T09:00:00Z'],
  ])('%s = %j is refused and named', async (field, value) => {
    const body = expectProblem(
      await api.http.post(appointments).send(anAppointment(patientId, { [field]: value })),
      422,
    );
    expect(blamed(body)).toEqual([field]);
    const patched = await api.http.patch(`${appointments}/${appointmentId}`).send({ [field]: value });
    expect(blamed(expectProblem(patched, 422))).toEqual([field]);
  });
});

it('tells all problems of a body at once', async () => {
  const sent = { name: '', email: 'x', phone: 1, date_of_birth: 'x', clinical_notes: 2, extra: 3 };
  const body = expectProblem(await api.http.post(patients).send(sent), 422);
  expect(blamed(body).sort()).toEqual(Object.keys(sent).sort());
});

it('does not take __proto__ for anything but an unknown field', async () => {
  const sent = '{"__proto__":{"admin":true},"name":"x","email":"proto@example.com"}';
  const answer = await api.http.post(patients).set('content-type', 'application/json').send(sent);
  expect(blamed(expectProblem(answer, 422))).toEqual(['__proto__']);
});

it('does not repeat a field name that nobody would give a field', async () => {
  const body = expectProblem(
    await api.http.post(patients).send({ 'jane@example.com': 1, ...aPatient() }),
    422,
  );
  expect(JSON.stringify(body)).not.toContain('jane@example.com');
});

describe('a body', () => {
  const send = (type: string | undefined, body: string | Buffer, headers: Record<string, string> = {}) => {
    const request = api.http.post(patients).set(headers);
    if (type !== undefined) void request.set('content-type', type);
    return request.serialize((sent: unknown) => sent as string).send(body as string);
  };
  const json = 'application/json';

  it.each([
    ['of broken JSON', json, '{"name": ', 400],
    ['of JSON with a comment', json, '{/* */}', 400],
    ['of NaN', json, 'NaN', 400],
    ['with a byte order mark', json, '\ufeff{', 400],
    ['nested beyond reason', json, '['.repeat(50_000), 400],
    ['that is an array', json, '[]', 422],
    ['that is a string', json, '"name"', 422],
    ['that is null', json, 'null', 422],
    ['that is an empty object', json, '{}', 422],
    ['deeply nested in a field', json, `{"name":${'['.repeat(5_000)}${']'.repeat(5_000)}}`, 422],
    ['too large', json, JSON.stringify({ name: 'x'.repeat(100_000) }), 413],
    ['of XML', 'application/xml', '<name/>', 415],
    ['of a form', 'application/x-www-form-urlencoded', 'name=x', 415],
    ['of a media type that is none', 'json', '{}', 415],
    ['in Latin-1', `${json}; charset=iso-8859-1`, '{}', 415],
    ['in an unknown charset', `${json}; charset=klingon`, '{}', 415],
    ['in an unknown utf', `${json}; charset=utf-99`, '{}', 415],
  ])('%s is refused', async (_what, type, body, status) => {
    expectProblem(await send(type, body), status);
  });

  it('that is not UTF-8 is refused rather than mangled', async () => {
    const latin1 = Buffer.from(JSON.stringify(aPatient({ name: 'Zo\u00eb' })), 'latin1');
    expect(expectProblem(await send(json, latin1), 400).detail).toContain('UTF-8');
  });

  it.each([
    ['compressed in an unknown way', { 'content-encoding': 'klingon' }, Buffer.from('{}'), 415],
    ['that is not compressed as it claims', { 'content-encoding': 'gzip' }, Buffer.from('{}'), 400],
    ['that explodes', { 'content-encoding': 'gzip' }, gzipSync(Buffer.alloc(5_000_000, ' ')), 413],
  ])('%s is refused', async (_what, headers, body, status) => {
    expectProblem(await send(json, body, headers), status);
  });

  it('without a content type is refused, and so is none at all', async () => {
    const raw = await rawRequest(
      `POST ${patients} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}`,
    );
    expect(raw).toMatch(/^HTTP\/1\.1 415 /);
    expectProblem(await api.http.post(patients), 422);
    expectProblem(await api.http.post(patients).set('content-length', '0'), 422);
  });
});

describe('an address', () => {
  it.each([
    ['get', '/', 404],
    ['get', '/api/v1/patient', 404],
    ['get', '/api/v1/Patients', 404],
    ['get', '/api/v1/patients/x/y/z', 404],
    ['get', '//etc/passwd', 404],
    ['get', `${patients}/..%2f..%2fetc`, 400],
    ['get', `${patients}/17`, 400],
    ['get', `${patients}/%00`, 400],
    ['get', `${patients}/%E0%A4%A`, 400],
    ['get', `${patients}/%27%20OR%201=1--`, 400],
    ['delete', `${patients}/undefined`, 400],
    ['post', `${appointments}/x/cancel`, 400],
    ['post', `${appointments}/x/complete`, 400],
    ['put', patients, 405],
    ['delete', patients, 405],
    ['post', `${patients}/01890000-0000-7000-8000-000000000000`, 405],
    ['get', `${appointments}/01890000-0000-7000-8000-000000000000/cancel`, 405],
    ['post', '/livez', 405],
    ['post', '/openapi.json', 405],
  ] as const)('%s %s is refused with %d', async (method, path, status) => {
    const answer = await api.http[method](path);
    const body = expectProblem(answer, status);
    if (status === 405) expect(answer.headers['allow']).toMatch(/^[A-Z, ]+OPTIONS$/);
    if (status === 400 && !path.includes('%E0')) expect(blamed(body)).toEqual(['id']);
  });

  it('tells with OPTIONS what it allows', async () => {
    const { headers } = await api.http.options(`${patients}/x`).expect(204);
    expect(headers['allow']).toBe('GET, PUT, PATCH, DELETE, HEAD, OPTIONS');
  });

  it('answers HEAD like GET, without the body', async () => {
    const { headers, text } = await api.http.head(`${patients}/${patientId}`).expect(200);
    expect(Number(headers['content-length'])).toBeGreaterThan(100);
    expect(text ?? '').toBe('');
  });
});

describe('a query', () => {
  it.each([
    [patients, 'limit=0', ['limit']],
    [patients, 'limit=101', ['limit']],
    [patients, 'limit=-1', ['limit']],
    [patients, 'limit=1e1', ['limit']],
    [patients, 'limit=', ['limit']],
    [patients, 'limit=ten', ['limit']],
    [patients, 'limit=1&limit=2', ['limit']],
    [patients, 'cursor=', ['cursor']],
    [patients, 'cursor=abc', ['cursor']],
    [patients, `cursor=${'A'.repeat(5_000)}`, ['cursor']],
    [patients, 'cursor=AQGh_PQ_H3PepCKktzHA9qU%00', ['cursor']],
    [patients, 'name=x', ['name']],
    [patients, 'limit[$gt]=1', ['(another field)']],
    [patients, '__proto__=1', ['__proto__']],
    [
      appointments,
      'patient_id=x&status=LOST&from=yesterday&to=2031-01-01',
      ['patient_id', 'status', 'from', 'to'],
    ],
    [appointments, 'practitioner=%00', ['practitioner']],
    [appointments, 'practitioner=a&practitioner=b', ['practitioner']],
    [appointments, 'from=2031-01-01T00:00:00+02:00', ['from']],
    [appointments, 'status=booked', ['status']],
  ])('%s?%s is refused and named', async (path, query, fields) => {
    const body = expectProblem(await api.http.get(`${path}?${query}`), 400);
    expect(blamed(body)).toEqual(fields);
  });

  it.each(['%', '%E0%A4%A', 'a=%', '&&=&'])('%s does no harm', async (query) => {
    const { status } = await api.http.get(`${patients}?${query}`);
    expect([200, 400]).toContain(status);
  });
});

it('refuses an unusable actor and names the header', async () => {
  const body = expectProblem(await api.http.get(patients).set('x-actor-id', 'Jane\tDoe'), 400);
  expect(blamed(body)).toEqual(['x-actor-id']);
});

it('logged none of this as a failure of its own', () => {
  const failures = api.log.entries().filter(({ level }) => level === 'error' || level === 'fatal');
  expect(failures).toEqual([]);
});

async function rawRequest(text: string): Promise<string> {
  const { port } = new URL((api.http.get('/') as unknown as { url: string }).url);
  const socket = connect(Number(port), '127.0.0.1');
  socket.end(text);
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  return answer;
}
