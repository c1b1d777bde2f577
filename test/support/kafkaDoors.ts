/** Doors to a broker that are guarded as a real one's would be: by TLS, or by a demand for SASL. */
import { once } from 'node:events';
import { connect, createServer as createPlainServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { Reader } from '../../dev/broker/protocol/reader';
import { Writer } from '../../dev/broker/protocol/writer';
import { FrameSplitter } from '../../dev/broker/server/frames';

export interface Door {
  readonly port: number;
  /** `host:port` */
  readonly address: string;
  /** Leads to the broker on this port of 127.0.0.1. */
  leadTo(port: number): void;
  /** Replaces the certificate; connections from now on see it. */
  renew(options: TlsOptions): void;
  close(): Promise<void>;
}

/** Ends TLS and passes everything on. */
export async function openTlsDoor(options: TlsOptions): Promise<Door> {
  const target = { port: 0 };
  const server = createTlsServer(options, (client) => join(client, connect(target.port, '127.0.0.1')));
  server.on('tlsClientError', () => undefined);
  const door = await open(server, target);
  return { ...door, renew: (renewed) => server.setSecureContext(renewed) };
}

/** Answers which versions it speaks and what SASL it offers, and hangs up on anything else, as Kafka does. */
export async function openSaslDoor(mechanisms: readonly string[]): Promise<Door> {
  const target = { port: 0 };
  const server = createPlainServer((client) => {
    const upstream = connect(target.port, '127.0.0.1');
    upstream.on('error', () => client.destroy());
    upstream.on('data', (data) => client.write(data));
    client.on('error', () => upstream.destroy());
    client.on('close', () => upstream.destroy());
    const splitter = new FrameSplitter(1 << 20);
    client.on('data', (chunk) => {
      try {
        for (const frame of splitter.push(chunk))
          guard(new Reader(frame), frame, client, upstream, mechanisms);
      } catch {
        // It is not Kafka's protocol that is spoken, TLS perhaps.
        client.end();
      }
    });
  });
  return { ...(await open(server, target)), renew: () => undefined };
}

function guard(
  reader: Reader,
  frame: Buffer,
  client: Socket,
  upstream: Socket,
  mechanisms: readonly string[],
): void {
  const apiKey = reader.int16();
  reader.int16();
  const correlationId = reader.int32();
  if (apiKey === 18) upstream.write(sized(frame));
  else if (apiKey === 17) {
    const answer = new Writer().int32(correlationId).int16(33);
    answer.array(mechanisms, (nested, name) => nested.string(name));
    client.write(sized(Buffer.concat(answer.chunks())));
  } else client.end();
}

function sized(frame: Buffer): Buffer {
  const size = Buffer.alloc(4);
  size.writeInt32BE(frame.length);
  return Buffer.concat([size, frame]);
}

async function open(server: Server, target: { port: number }): Promise<Omit<Door, 'renew'>> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return {
    port,
    address: `127.0.0.1:${port}`,
    leadTo: (to) => void (target.port = to),
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function join(client: Socket, upstream: Socket): void {
  for (const [from, to] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    from.on('data', (data) => void to.write(data));
    from.on('error', () => to.destroy());
    from.on('close', () => to.destroy());
  }
}
