import { Session } from 'node:inspector/promises';
import { aPatient, anAppointment, bookAppointment, startApi, type TestApi } from './startApi';

/*
 * One request must not stop the service: the work that a bad request makes grows no faster than the request, and its
 * answer does not grow at all. Work is counted, not timed: the engine counts how often each block of code runs.
 */

const json = 'application/json';
const patients = '/api/v1/patients';
const appointments = '/api/v1/appointments';
let api: TestApi;
let appointmentId = '';
const inspector = new Session();

beforeAll(async () => {
  api = await startApi({ bodyLimitBytes: 10_000_000 });
  appointmentId = (await bookAppointment(api))['id'] ?? '';
  inspector.connect();
  await inspector.post('Profiler.enable');
  await inspector.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
});
afterAll(async () => {
  await inspector.post('Profiler.stopPreciseCoverage');
  inspector.disconnect();
  await api.stop();
});

/** Runs `work` and counts the blocks of the service and its libraries that run meanwhile. */
async function count(work: () => Promise<unknown>): Promise<number> {
  await inspector.post('Profiler.takePreciseCoverage');
  await work();
  const { result } = await inspector.post('Profiler.takePreciseCoverage');
  return result
    .filter(({ url }) =>
      /[\\/]src[\\/]|[\\/](zod|express|router|body-parser|raw-body|type-is)[\\/]/.test(url),
    )
    .flatMap(({ functions }) => functions.flatMap(({ ranges }) => ranges))
    .reduce((sum, range) => sum + range.count, 0);
}

const keys = (n: number, name: (index: number) => string): string =>
  `{${Array.from({ length: n }, (_, index) => `"${name(index)}":1`).join(',')}}`;
const nested = (depth: number): string => `{"name":${'['.repeat(depth)}${']'.repeat(depth)}}`;
const post = (path: string) => (body: string) => api.http.post(path).set('content-type', json).send(body);
const get = (path: string) => (query: string) => api.http.get(`${path}?${query}`);
const repeated = (n: number, text: (index: number) => string): string =>
  Array.from({ length: n }, (_, index) => text(index)).join('&');

type Send = (size: number) => PromiseLike<{ status: number; text: string }>;
const inputs: [string, number, Send][] = [
  ['unknown fields of a patient', 2_000, (n) => post(patients)(keys(n, (index) => `k${index}`))],
  ['unknown fields with odd names', 2_000, (n) => post(patients)(keys(n, (index) => `k ${index}`))],
  ['unknown fields that are numbers', 2_000, (n) => post(patients)(keys(n, String))],
  ['unknown fields of an appointment', 2_000, (n) => post(appointments)(keys(n, (index) => `k${index}`))],
  [
    'unknown fields of a change',
    2_000,
    (n) =>
      api.http
        .patch(`${appointments}/${appointmentId}`)
        .set('content-type', json)
        .send(keys(n, (index) => `k${index}`)),
  ],
  [
    'unknown fields of a cancellation',
    2_000,
    (n) => post(`${appointments}/${appointmentId}/cancel`)(keys(n, (index) => `k${index}`)),
  ],
  ['a field that is given again and again', 2_000, (n) => post(patients)(keys(n, () => 'name'))],
  ['a list of patients', 2_000, (n) => post(patients)(JSON.stringify(Array.from({ length: n }, () => ({}))))],
  ['a list in a field', 2_000, (n) => post(patients)(JSON.stringify(aPatient({ name: Array(n).fill('x') })))],
  ['lists in lists', 2_000, (n) => post(patients)(nested(n))],
  ['a long name', 20_000, (n) => post(patients)(JSON.stringify(aPatient({ name: 'x'.repeat(n) })))],
  ['a long address', 20_000, (n) => post(patients)(JSON.stringify(aPatient({ email: 'a@'.repeat(n) })))],
  [
    'long notes',
    2_400_000,
    (n) => post(patients)(JSON.stringify(aPatient({ clinical_notes: 'x'.repeat(n) }))),
  ],
  [
    'a long time',
    20_000,
    (n) => post(appointments)(JSON.stringify(anAppointment('x', { starts_at: '2031-'.repeat(n) }))),
  ],
  ['unknown parameters', 300, (n) => get(patients)(repeated(n, (index) => `k${index}=1`))],
  ['a parameter that is given again and again', 300, (n) => get(appointments)(repeated(n, () => 'status=x'))],
  ['parameters without a name', 1_000, (n) => get(patients)(`${'&'.repeat(n)}limit=0`)],
  ['a long cursor', 2_000, (n) => get(patients)(`cursor=${'A'.repeat(n)}`)],
  ['a long filter', 2_000, (n) => get(appointments)(`practitioner=${'A'.repeat(n)}`)],
  ['a long actor', 2_000, (n) => api.http.get(patients).set('x-actor-id', 'a'.repeat(n))],
  ['a long path', 2_000, (n) => api.http.get(`${patients}/${'a'.repeat(n)}`)],
];

it.each(inputs)(
  '%s: the work grows no faster than the request, the answer not at all',
  async (_what, n, send) => {
    const answers: { status: number; text: string }[] = [];
    const work = async (size: number): Promise<number> => count(async () => answers.push(await send(size)));
    await work(n);
    const [once, fourTimes] = [await work(n), await work(4 * n)];
    expect(fourTimes).toBeLessThan(5 * once);
    for (const { status, text } of answers) {
      expect([400, 422]).toContain(status);
      expect(text.length).toBeLessThan(4_000);
    }
  },
);

it('lists twenty problems at most, and says that there are more', async () => {
  const { body } = await post(patients)(keys(1_000, (index) => `k${index}`)).expect(422);
  const { errors, detail } = body as { errors: { field: string }[]; detail: string };
  expect(errors).toHaveLength(20);
  expect(detail).toMatch(/and there are more problems$/);
  const { body: twenty } = await get(patients)(repeated(20, (index) => `k${index}=1`)).expect(400);
  expect((twenty as { errors: unknown[] }).errors).toHaveLength(20);
  expect((twenty as { detail: string }).detail).not.toContain('more problems');
});

it('overlooks no filter, however many parameters stand before it', async () => {
  const { body } = await get(patients)(`${'&'.repeat(1_200)}limit=0`).expect(400);
  expect(body).toMatchObject({ errors: [{ field: 'limit' }] });
});
