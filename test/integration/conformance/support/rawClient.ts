/** The protocol spoken by hand, where kafkajs would hide what a broker answers. */
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { Reader } from '../../../../dev/broker/protocol/reader';
import { Writer } from '../../../../dev/broker/protocol/writer';
import { FrameSplitter } from '../../../../dev/broker/server/frames';
import { kafkaBrokers } from '../../../support/kafka';
import { within } from '../../../support/waitFor';

export interface RawClient {
  /** Sends one request and resolves to its answer, behind the correlation id. Rejects when the connection ends. */
  request(apiKey: number, version: number, body: Writer): Promise<Reader>;
  /** Sends bytes as they are. */
  send(bytes: Buffer): void;
  /** Resolves when the broker has closed the connection. */
  readonly closed: Promise<void>;
  /** Breaks the connection off, as a crash does. */
  destroy(): void;
}

interface Waiting {
  readonly resolve: (answer: Reader) => void;
  readonly reject: (error: Error) => void;
}

const open = new Set<Socket>();

/** A connection to the broker at `address` (`host:port`), by default the one under test. */
export async function connectRaw(address = kafkaBrokers()[0] ?? ''): Promise<RawClient> {
  const [host, port] = address.split(':');
  const socket = connect({ host: host ?? '', port: Number(port), noDelay: true });
  await once(socket, 'connect');
  open.add(socket);
  const waiting = new Map<number, Waiting>();
  const splitter = new FrameSplitter(1 << 30);
  let correlationId = 0;
  socket.on('data', (chunk) => {
    for (const frame of splitter.push(chunk)) {
      const answer = new Reader(frame);
      const id = answer.int32();
      waiting.get(id)?.resolve(answer);
      waiting.delete(id);
    }
  });
  const closed = new Promise<void>((resolve) => {
    socket.on('error', () => undefined);
    socket.on('close', () => {
      open.delete(socket);
      for (const { reject } of waiting.values()) reject(new Error('The broker closed the connection.'));
      resolve();
    });
  });
  return {
    closed,
    destroy: () => socket.destroy(),
    send: (bytes) => void socket.write(bytes),
    request: (apiKey, version, body) => {
      correlationId += 1;
      const id = correlationId;
      const head = new Writer().int16(apiKey).int16(version).int32(id).string('conformance');
      const answer = new Promise<Reader>((resolve, reject) => waiting.set(id, { resolve, reject }));
      socket.write(
        Buffer.concat([
          ...new Writer().int32(head.size + body.size).chunks(),
          ...head.chunks(),
          ...body.chunks(),
        ]),
      );
      return within(answer, { what: `the answer to request ${apiKey}` });
    },
  };
}

/** To be called after each test. */
export function closeRawClients(): void {
  for (const socket of open) socket.destroy();
}
