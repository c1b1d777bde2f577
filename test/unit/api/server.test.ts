import { EventEmitter, once } from 'node:events';
import { Agent, get, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { connect, createServer, type AddressInfo } from 'node:net';
import { ApiServer } from '../../../src/api/server';
import { UserError } from '../../../src/shared/lifecycle';
import { silentLogger } from '../../support/logger';

const running: ApiServer[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
});

async function start(
  app: RequestListener,
  overrides: object = {},
): Promise<{ server: ApiServer; port: number }> {
  const server = new ApiServer({
    app,
    host: '127.0.0.1',
    port: 0,
    requestTimeoutMs: 30_000,
    drainMs: 30_000,
    logger: silentLogger(),
    ...overrides,
  });
  running.push(server);
  await server.start();
  return { server, port: server.port ?? 0 };
}

const answerOk: RequestListener = (_request, response) => void response.end('ok');

async function fetchText(
  port: number,
  agent?: Agent,
): Promise<{ text: string; connection: string | undefined }> {
  const request = get({ port, host: '127.0.0.1', ...(agent ? { agent } : {}) });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return { text, connection: response.headers.connection };
}

/** Sends bytes and gives back everything that comes until the server closes. */
async function converse(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(bytes);
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  return answer;
}

it('answers the request in flight before it stops, and accepts no other', async () => {
  const arrivals = new EventEmitter();
  const { server, port } = await start((_request, response) => void arrivals.emit('request', response));
  const arrival = once(arrivals, 'request');
  const answer = fetchText(port, new Agent({ keepAlive: true }));
  const [response] = (await arrival) as [ServerResponse];
  const stopped = server.stop();
  await expect(fetchText(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  response.end('late');
  expect(await answer).toEqual({ text: 'late', connection: 'close' });
  await stopped;
});

it('does not wait for a connection that says nothing, nor for one that is kept alive', async () => {
  const { server, port } = await start(answerOk);
  const silent = connect(port, '127.0.0.1');
  await once(silent, 'connect');
  const keepAlive = new Agent({ keepAlive: true });
  expect((await fetchText(port, keepAlive)).text).toBe('ok');
  const closed = once(silent, 'close');
  silent.resume();
  await server.stop();
  await closed;
  keepAlive.destroy();
});

it('cuts a request that does not end in time', async () => {
  const arrivals = new EventEmitter();
  const { server, port } = await start(() => void arrivals.emit('request'), { drainMs: 50 });
  const arrival = once(arrivals, 'request');
  const cut = expect(fetchText(port)).rejects.toMatchObject({ code: 'ECONNRESET' });
  await arrival;
  await server.stop();
  await cut;
});

it('may be stopped before it is started, twice, and started again', async () => {
  const { server } = await start(answerOk);
  await Promise.all([server.stop(), server.stop()]);
  await server.stop();
  expect(server.port).toBeUndefined();
  await server.start();
  expect((await fetchText(server.port ?? 0)).text).toBe('ok');
});

it('says which variable moves a port that is taken', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const refused = start(answerOk, { port });
  await expect(refused).rejects.toThrow(UserError);
  await expect(refused).rejects.toThrow(
    `Port ${port} on 127.0.0.1 is taken by another program. Free it, or set PORT to another port.`,
  );
  other.close();
});

describe('what never reaches the application', () => {
  it.each([
    ['no HTTP', 'HELLO\r\n\r\n', 400],
    ['headers without end', `GET / HTTP/1.1\r\nx: ${'x'.repeat(50_000)}\r\n\r\n`, 431],
    ['two lengths', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab', 400],
  ])('%s gets a problem document', async (_what, bytes, status) => {
    const { port } = await start(answerOk);
    const answer = await converse(port, bytes);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer).toContain('content-type: application/problem+json');
    expect(JSON.parse(answer.split('\r\n\r\n')[1] ?? '')).toMatchObject({ status });
  });

  it.each([
    ['headers', 'GET / HTTP/1.1\r\nHost: x\r\n'],
    ['a body', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nab'],
  ])('%s that come too slowly get 408', async (_what, bytes) => {
    const { port } = await start((request) => void request.resume(), { requestTimeoutMs: 200 });
    expect(await converse(port, bytes)).toMatch(/^HTTP\/1\.1 408 /);
  });
});
