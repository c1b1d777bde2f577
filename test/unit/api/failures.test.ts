import { once } from 'node:events';
import { Agent, type IncomingMessage, request as httpRequest } from 'node:http';
import { currentGate } from '../../../src/shared/commitGate';
import { waitFor } from '../../support/waitFor';
import { type FakeApi, startFakeApi } from './fakeApi';

/*
 * Handlers that fail in ways that nobody foresaw, early and late: each request gets one answer, the connection goes on,
 * and nothing of an error's text comes out anywhere. Express' own last handler would print it.
 */

const marker = 'MARKERq7x';
const note = `Jane ${marker}, born 1971-03-14\n    at ${marker} (/${marker}.js:1:1)\n    at ${marker}`;
const patients = '/api/v1/patients';
const id = '01890000-0000-7000-8000-000000000000';

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

let api: FakeApi;
let agent: Agent;
let printed: string[];

async function start(prisma: object, requestTimeoutMs?: number): Promise<void> {
  api = await startFakeApi(prisma, requestTimeoutMs);
  agent = new Agent({ keepAlive: true, maxSockets: 1 });
}

beforeEach(() => {
  printed = [];
  for (const stream of [process.stdout, process.stderr]) {
    jest.spyOn(stream, 'write').mockImplementation((chunk) => {
      printed.push(String(chunk));
      return true;
    });
  }
  for (const method of ['error', 'warn', 'log'] as const) {
    jest
      .spyOn(console, method)
      .mockImplementation((...args) => void printed.push(args.map(String).join(' ')));
  }
});

afterEach(async () => {
  agent.destroy();
  await api.stop();
  jest.restoreAllMocks();
  expect([...printed, ...api.log.lines()].join('\n')).not.toMatch(/MARKERq7x|1971-03-14/);
  expect(printed).toEqual([]);
});

async function ask(method: string, path: string, body?: object): Promise<Answer> {
  const headers = body ? { 'content-type': 'application/json' } : {};
  const sent = httpRequest({ port: api.port, host: '127.0.0.1', method, path, headers, agent });
  sent.end(body && JSON.stringify(body));
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return { status: response.statusCode, headers: response.headers, text };
}

const failures = (): Record<string, unknown>[] => api.log.entries().filter(({ level }) => level === 'error');

const unknownErrors: [string, () => unknown][] = [
  ['an error whose text quotes a row', () => new Error(note)],
  ['an error with a code and a cause that quote it', () => new Error(note, { cause: new TypeError(note) })],
  ['an error that claims a status', () => Object.assign(new Error(note), { status: 599, expose: true })],
  ['an error whose text was changed', () => Object.assign(new Error(note), { message: 'another text' })],
  ['a text', () => note],
  ['nothing', () => undefined],
];

it.each(unknownErrors)('answers 500 to %s and shows nothing of it', async (_what, make) => {
  await start({ patient: { findMany: async () => Promise.reject(make()) } });
  const { status, text } = await ask('GET', patients);
  expect(status).toBe(500);
  expect(JSON.parse(text)).toEqual({
    type: 'about:blank',
    title: 'Internal server error',
    status: 500,
    detail: 'Something failed that should not. The log has the details under the correlation id.',
    correlation_id: expect.any(String),
  });
  expect(failures()).toMatchObject([{ msg: 'a request failed', route: patients }]);
});

it('logs where an unknown error happened', async () => {
  await start({ patient: { findMany: async () => Promise.reject(new TypeError(note)) } });
  await ask('GET', patients);
  expect(failures()).toMatchObject([
    { err: { type: 'TypeError', stack: expect.stringMatching(/^\s+at .*failures\.test\.ts:\d+:\d+/) } },
  ]);
});

const row = { id, name: note, createdAt: new Date(), updatedAt: new Date() };
it.each([
  ['a row that cannot be shown', { ...row, createdAt: new Date(Number.NaN) }],
  ['a row that is no object', null],
  ['a value that no header can carry', { ...row, id: `${note}\u0100` }],
])('answers 500 to %s', async (_what, created) => {
  await start({ patient: { create: async () => Promise.resolve(created) } });
  const { status, text } = await ask('POST', patients, { name: 'a', email: 'a@example.com' });
  expect(status).toBe(500);
  expect(text).not.toContain(marker);
});

it.each(unknownErrors)(
  'survives %s after the deadline, and serves the connection on',
  async (_what, make) => {
    let fail: (error: unknown) => void = () => undefined;
    const late = new Promise<never>((_resolve, reject) => {
      fail = reject;
    });
    await start(
      { patient: { findMany: async () => late, findUnique: async () => Promise.resolve(null) } },
      50,
    );
    const answer = await ask('GET', patients);
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1']);
    fail(make());
    await waitFor(() => failures().length === 1, { what: 'the failure to be logged' });
    const socket = Object.values(agent.freeSockets)[0]?.[0];
    expect((await ask('GET', `${patients}/${id}`)).status).toBe(404);
    expect(Object.values(agent.freeSockets)[0]?.[0]).toBe(socket);
  },
);

it('survives an answer that comes after the deadline', async () => {
  let finish: (rows: unknown[]) => void = () => undefined;
  const late = new Promise<unknown[]>((resolve) => {
    finish = resolve;
  });
  await start({ patient: { findMany: async () => late } }, 50);
  expect((await ask('GET', patients)).status).toBe(503);
  finish([]);
  expect((await ask('GET', '/livez')).status).toBe(200);
  expect(failures()).toEqual([]);
});

it('survives a client that leaves before the answer', async () => {
  let fail: (error: unknown) => void = () => undefined;
  const late = new Promise<never>((_resolve, reject) => {
    fail = reject;
  });
  await start({ patient: { findMany: async () => late } });
  const sent = httpRequest({ port: api.port, host: '127.0.0.1', path: patients });
  sent.on('error', () => undefined).end();
  await once(sent, 'socket');
  await waitFor(() => sent.writableFinished, { what: 'the request to be sent' });
  sent.destroy();
  await waitFor(() => api.log.entries().some(({ status }) => status === 499), {
    what: 'the request to be over',
  });
  fail(new Error(note));
  await waitFor(() => failures().length === 1, { what: 'the failure to be logged' });
  expect((await ask('GET', '/livez')).status).toBe(200);
});

it.each(['/%E0%A4%A', `${patients}/%E0%A4%A`, '//', '/?%', `/${'%'.repeat(100)}`])(
  'answers a problem document to %s, which is no address',
  async (path) => {
    await start({});
    const { status, headers } = await ask('GET', path);
    expect([400, 404]).toContain(status);
    expect(headers['content-type']).toContain('application/problem+json');
  },
);

it('lets probes share a check that hangs: the end of one of them does not end it', async () => {
  let gate: unknown = 'not asked';
  api = await startFakeApi({}, 5_000, [
    {
      name: 'database',
      check: async () => {
        gate = currentGate();
        return Promise.resolve({ ok: true });
      },
    },
  ]);
  agent = new Agent({ keepAlive: true });
  expect((await ask('GET', '/readyz')).status).toBe(200);
  expect(gate).toBeUndefined();
});
