/**
 * A pooler in transaction mode, the worst that can be: all clients share one session of the server, each for a
 * transaction at a time, and what one sets in it is there for the next. Only what a client wants kept by the session
 * itself (a lock, a search path) fails with it, as with PgBouncer.
 */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

export interface Pooler {
  /** The database's URL through the pooler. */
  readonly url: string;
  close(): Promise<void>;
}

export interface PoolerOptions {
  /** What it says to the server in the first message, in place of what its clients say. */
  readonly settings?: Readonly<Record<string, string>>;
}

export async function startPooler(
  databaseUrl: string,
  { settings = { TimeZone: 'UTC', DateStyle: 'ISO, MDY' } }: PoolerOptions = {},
): Promise<Pooler> {
  const target = new URL(databaseUrl);
  const session = new SharedSession(await openSession(target, settings));
  const clients = new Set<Socket>();
  const server: Server = createServer((socket) => {
    clients.add(socket);
    socket.on('close', () => clients.delete(socket));
    serve(socket, session);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(databaseUrl);
  url.port = String((server.address() as { port: number }).port);
  return {
    url: url.href,
    close: async () => {
      for (const client of clients) client.destroy();
      session.end();
      server.close();
      await once(server, 'close');
    },
  };
}

interface Message {
  readonly type: string;
  readonly body: Buffer;
  readonly raw: Buffer;
}

/** Cuts a stream into messages; the first of a client has no type. */
function messages(socket: Socket, onMessage: (message: Message) => void, typed = true): void {
  let rest = Buffer.alloc(0);
  let hasType = typed;
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      const head = hasType ? 1 : 0;
      if (rest.length < head + 4) return;
      const end = head + rest.readInt32BE(head);
      if (rest.length < end) return;
      const raw = rest.subarray(0, end);
      rest = rest.subarray(end);
      hasType = true;
      onMessage({ type: head ? String.fromCharCode(raw[0] ?? 0) : '', body: raw.subarray(head + 4), raw });
    }
  });
}

function message(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(type.length + 4);
  head.write(type, 'latin1');
  head.writeInt32BE(body.length + 4, type.length);
  return Buffer.concat([head, body]);
}

interface Opened {
  readonly socket: Socket;
  /** What the server says about its settings. */
  readonly statuses: readonly Buffer[];
  readonly listen: (onMessage: (message: Message) => void) => void;
}

async function openSession(target: URL, settings: Readonly<Record<string, string>>): Promise<Opened> {
  const socket = connect(Number(target.port), target.hostname);
  const statuses: Buffer[] = [];
  const words = Object.entries({ user: target.username, database: target.pathname.slice(1), ...settings });
  const text = Buffer.from(`${words.map(([name, value]) => `${name}\0${value}\0`).join('')}\0`);
  socket.write(message('', Buffer.concat([Buffer.from([0, 3, 0, 0]), text])));
  let heard: ((message: Message) => void) | undefined;
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject);
    messages(socket, (received) => {
      if (heard) return heard(received);
      if (received.type === 'S') statuses.push(Buffer.from(received.raw));
      if (received.type === 'Z') resolve();
      if (received.type === 'E') reject(new Error(received.body.toString()));
    });
  });
  return { socket, statuses, listen: (onMessage) => (heard = onMessage) };
}

/** The one session, which belongs to a client from its first message until the end of its transaction. */
class SharedSession {
  #owner: Socket | undefined;
  #unanswered = 0;
  readonly #waiting: { client: Socket; raw: Buffer; asks: boolean }[] = [];

  constructor(readonly opened: Opened) {
    opened.listen(({ type, body, raw }) => {
      this.#owner?.write(raw);
      if (type !== 'Z') return;
      this.#unanswered -= 1;
      if (this.#unanswered === 0 && body.toString() === 'I') this.#give(undefined);
    });
  }

  send(client: Socket, raw: Buffer, asks: boolean): void {
    if (this.#owner !== undefined && this.#owner !== client) {
      this.#waiting.push({ client, raw, asks });
      return;
    }
    this.#owner = client;
    if (asks) this.#unanswered += 1;
    this.opened.socket.write(raw);
  }

  end(): void {
    this.opened.socket.destroy();
  }

  #give(owner: Socket | undefined): void {
    this.#owner = owner;
    const waiting = this.#waiting.splice(0);
    for (const { client, raw, asks } of waiting) this.send(client, raw, asks);
  }
}

const ssl = 80877103;

function serve(socket: Socket, session: SharedSession): void {
  let started = false;
  socket.on('error', () => socket.destroy());
  messages(
    socket,
    ({ type, body, raw }) => {
      if (started) {
        if (type !== 'X') session.send(socket, Buffer.from(raw), type === 'Q' || type === 'S');
        return;
      }
      if (body.readInt32BE(0) === ssl) throw new Error('the pooler knows no TLS');
      started = true;
      const processAndKey = Buffer.from([0x7f, 0, 0, 1, 0, 0, 0, 1]);
      socket.write(
        Buffer.concat([
          message('R', Buffer.alloc(4)),
          ...session.opened.statuses,
          message('K', processAndKey),
          message('Z', Buffer.from('I')),
        ]),
      );
    },
    false,
  );
}
