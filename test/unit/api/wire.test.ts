import { setTimeout as pause } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { randomBytes } from 'node:crypto';
import { type Conversation, converse, type FakeApi, startFakeApi } from './fakeApi';

/* What goes over the wire when a client does not behave: the answers match what was done. */

const path = '/api/v1/patients';
const created: string[] = [];
let api: FakeApi;
let talk: Conversation;

beforeAll(async () => {
  api = await startFakeApi({
    patient: {
      // Later than the parser finds the fault that follows.
      create: async ({ data }: { data: { name: string } }) => {
        await pause(20);
        created.push(data.name);
        return { ...data, id: data.name, createdAt: new Date(), updatedAt: new Date() };
      },
    },
  });
});
afterAll(() => api.stop());
beforeEach(async () => {
  created.length = 0;
  talk = await converse(api.port);
});

const head = (method: string, lines: readonly string[]): string =>
  [`${method} ${path} HTTP/1.1`, 'Host: x', ...lines, '', ''].join('\r\n');
const json = 'Content-Type: application/json';
const bodyOf = (name: string): string => JSON.stringify({ name, email: 'a@example.com' });
const post = (name: string, lines: readonly string[] = []): string =>
  head('POST', [json, `Content-Length: ${bodyOf(name).length}`, ...lines]) + bodyOf(name);
const chunk = (bytes: Buffer | string): Buffer =>
  Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), Buffer.from(bytes), Buffer.from('\r\n')]);
const chunked = 'Transfer-Encoding: chunked';
const ping = 'GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';

describe('good requests and then a fault on one connection', () => {
  it.each([
    ['no HTTP', 'rubbish\r\n\r\n', 400],
    ['binary rubbish', '\0\0\0\0', 400],
    ['headers without end', `GET / HTTP/1.1\r\nx: ${'x'.repeat(50_000)}\r\n\r\n`, 431],
    ['two lengths', head('POST', [json, 'Content-Length: 1', 'Content-Length: 2']), 400],
    ['a chunk without a length', `${head('POST', [json, chunked])}rubbish\r\n`, 400],
  ])(
    '%s: each is answered, in order, and what was carried out is not called a fault',
    async (_what, fault, last) => {
      talk.send(post('one') + post('two') + fault);
      await talk.rest();
      expect(talk.statuses()).toEqual([201, 201, last]);
      expect(created).toEqual(['one', 'two']);
    },
  );

  it('answers them also to a client that has ended its side, and once however much rubbish follows', async () => {
    talk.send(`${post('one')}rubbish\r\n\r\n`);
    for (let line = 0; line < 50; line += 1) talk.send('more rubbish\r\n\r\n');
    talk.end();
    await talk.rest();
    expect(talk.statuses()).toEqual([201, 400]);
    expect(created).toEqual(['one']);
  });

  it('gives no second answer to a request that was answered before its body broke', async () => {
    talk.send(post('one') + head('POST', ['Content-Type: text/plain', chunked]));
    await talk.until(/ 415 /);
    talk.send('rubbish\r\n');
    await talk.rest();
    expect(talk.statuses()).toEqual([201, 415]);
  });
});

describe('a body that is too large', () => {
  it.each(['POST', 'PUT', 'PATCH', 'GET', 'DELETE'])(
    'is refused at once when a %s says so, and the connection is closed',
    async (method) => {
      talk.send(head(method, [json, 'Content-Length: 10000000000']));
      expect(await talk.until(/"status":413/)).toContain('connection: close');
      await talk.rest();
      expect(talk.statuses()).toEqual([413]);
    },
  );

  it.each([
    ['POST', 'chunks', []],
    ['POST', 'packed chunks', ['Content-Encoding: gzip']],
    ['GET', 'chunks', []],
  ])(
    'is refused when the limit is passed by a %s with %s, not at their end',
    async (method, _what, lines) => {
      talk.send(head(method, [json, chunked, ...lines]));
      const noise = randomBytes(200_000);
      const bytes = lines.length > 0 ? gzipSync(noise) : noise;
      talk.send(chunk(bytes.subarray(0, 90_000)));
      await pause(50);
      expect(talk.statuses()).toEqual([]);
      talk.send(chunk(bytes.subarray(90_000, 110_000)));
      expect(await talk.until(/"status":413/)).toContain('connection: close');
      await talk.rest();
      expect(talk.statuses()).toEqual([413]);
    },
  );

  it('is not read on for ever: the sender is cut soon after the answer', async () => {
    talk.send(head('POST', [json, chunked]));
    const megabyte = chunk(Buffer.alloc(1_000_000, ' '));
    for (let count = 0; count < 100; count += 1) talk.send(megabyte);
    await talk.rest();
    expect(talk.taken()).toBeLessThan(50_000_000);
  });

  it('of a request that is refused for another reason is not read on for ever either', async () => {
    talk.send(head('POST', ['Content-Type: text/plain', chunked]));
    expect(await talk.until(/"status":415/)).toContain('connection: close');
    await talk.rest();
  });
});

describe('a small body that is not wanted', () => {
  it.each([
    ['of a wrong type', 'POST', 'Content-Type: text/plain', 415],
    ['of a GET', 'GET', `x-actor-id: ${'a'.repeat(301)}`, 400],
    ['of a DELETE', 'DELETE', json, 405],
  ])('%s leaves the connection open', async (_what, method, line, status) => {
    talk.send(`${head(method, [line, 'Content-Length: 5'])}hello${ping}`);
    await talk.rest();
    expect(talk.statuses()).toEqual([status, 200]);
  });
});

describe('Expect: 100-continue', () => {
  const expects = 'Expect: 100-continue';

  it('is answered with an invitation when the body is wanted', async () => {
    talk.send(head('POST', [json, expects, `Content-Length: ${bodyOf('one').length}`]));
    await talk.until(/^HTTP\/1\.1 100 Continue\r\n\r\n$/);
    talk.send(bodyOf('one'));
    await talk.until(/ 201 /);
    expect(talk.statuses()).toEqual([100, 201]);
  });

  it.each([
    ['a body that is too large', [json, expects, 'Content-Length: 10000000000'], 413],
    ['a body of a wrong type', ['Content-Type: text/plain', expects, 'Content-Length: 5'], 415],
    ['an actor that is none', [json, expects, 'Content-Length: 5', `x-actor-id: ${'a'.repeat(301)}`], 400],
    ['an expectation that is unknown', [json, 'Expect: miracles', 'Content-Length: 5'], 417],
  ])('invites nobody to send %s', async (_what, lines, status) => {
    talk.send(head('POST', lines));
    const answer = await talk.rest();
    expect(talk.statuses()).toEqual([status]);
    expect(answer).toMatch(/content-type: application\/problem\+json/i);
    expect(answer).toMatch(/connection: close/i);
  });

  it('with a body that grows too large after the invitation is refused all the same', async () => {
    talk.send(head('POST', [json, expects, chunked]));
    await talk.until(/100 Continue/);
    talk.send(chunk(Buffer.alloc(100_001, ' ')));
    await talk.rest();
    expect(talk.statuses()).toEqual([100, 413]);
  });
});
