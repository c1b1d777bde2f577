import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { startTcpProxy, type TcpProxy } from '../../support/tcpProxy';
import { waitFor } from '../../support/waitFor';

/** Answers every chunk with the same in capitals. */
let server: Server;
let proxy: TcpProxy;
const clients: Client[] = [];

class Client {
  received = '';
  closed = false;
  failure: string | undefined;

  constructor(readonly socket: Socket) {
    socket.on('data', (chunk) => (this.received += chunk.toString()));
    socket.on('error', (error: NodeJS.ErrnoException) => (this.failure = error.code));
    socket.on('close', () => (this.closed = true));
    clients.push(this);
  }

  async says(text: string, answer: string): Promise<void> {
    this.socket.write(text);
    await waitFor(() => this.received.endsWith(answer), { what: `the answer ${answer}` });
  }
}

beforeEach(async () => {
  server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => socket.write(chunk.toString().toUpperCase()));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  proxy = await startTcpProxy({ port: typeof address === 'object' && address !== null ? address.port : 0 });
});

afterEach(async () => {
  for (const { socket } of clients.splice(0)) socket.destroy();
  await proxy.close();
  await proxy.close();
  server.close();
});

const open = (): Client => new Client(connect(proxy.port, '127.0.0.1'));

describe('the TCP proxy', () => {
  it('passes everything on, both ways', async () => {
    await open().says('hello', 'HELLO');
    expect(proxy.connections()).toBe(1);
  });

  it('passes the end of a connection on', async () => {
    const client = open();
    await client.says('a', 'A');
    client.socket.end();
    await waitFor(() => client.closed && proxy.connections() === 0, { what: 'both ends to close' });
    expect(client.failure).toBeUndefined();
  });

  it('cuts what is open and accepts what is new', async () => {
    const client = open();
    await client.says('a', 'A');
    proxy.cut();
    await waitFor(() => client.closed, { what: 'the cut' });
    expect(client.failure).toBe('ECONNRESET');
    await open().says('b', 'B');
  });

  it('refuses what is new and leaves what is open', async () => {
    const before = open();
    await before.says('a', 'A');
    proxy.refuse();
    const refused = open();
    await waitFor(() => refused.closed, { what: 'the refusal' });
    await before.says('b', 'B');
    proxy.accept();
    await open().says('c', 'C');
  });

  it('holds everything back while paused, and loses nothing', async () => {
    const before = open();
    await before.says('a', 'A');
    proxy.pause();
    before.socket.write('held');
    const during = open();
    during.socket.write('back');
    await waitFor(() => proxy.connections() === 2, { what: 'the second connection' });
    expect(before.received).toBe('A');
    expect(during.received).toBe('');
    proxy.resume();
    await waitFor(() => before.received === 'AHELD' && during.received === 'BACK', {
      what: 'what was held back',
    });
  });

  it('slows down what passes and keeps its order', async () => {
    const client = open();
    await client.says('a', 'A');
    proxy.delay(60);
    const started = performance.now();
    client.socket.write('b');
    client.socket.write('c');
    await waitFor(() => client.received === 'ABC', { what: 'the slow answer' });
    // Once on the way there and once on the way back; timers may be a millisecond early.
    expect(performance.now() - started).toBeGreaterThan(115);
    proxy.delay(0);
    await client.says('d', 'ABCD');
  });

  it('breaks a connection whose server is not there', async () => {
    server.close();
    server.unref();
    const lonely = await startTcpProxy({ port: 1 });
    const client = new Client(connect(lonely.port, '127.0.0.1'));
    await waitFor(() => client.closed, { what: 'the broken connection' });
    await lonely.close();
  });
});
