/*
 * A broker that closes a connection without a word leaves two questions open, and each has a request that answers it:
 * does this port speak TLS, and does it ask for SASL? Asked only after such a failure, on a connection of its own.
 */
import { once } from 'node:events';
import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';

export interface Endpoint {
  readonly host: string;
  readonly port: number;
  /** Undefined without TLS. */
  readonly tls?: ConnectionOptions | undefined;
}

const timeoutMs = 3_000;
const saslHandshake = 17;
const apiVersions = 18;
const unsupportedMechanism = 33;

/** Whether the endpoint answers Kafka's protocol without TLS. */
export async function answersPlainly({ host, port }: Endpoint): Promise<boolean> {
  const answer = await ask({ host, port }, request(apiVersions, 0));
  return answer !== undefined && answer.length > 8 && answer.readInt32BE(4) === 1;
}

/** Whether the endpoint speaks TLS, whoever it is. */
export async function speaksTls({ host, port }: Endpoint): Promise<boolean> {
  const socket = connectTls({ host, port, rejectUnauthorized: false });
  try {
    await once(socket, 'secureConnect', { signal: AbortSignal.timeout(timeoutMs) });
    return true;
  } catch {
    return false;
  } finally {
    socket.on('error', () => undefined);
    socket.destroy();
  }
}

/** The SASL mechanisms that the endpoint offers; undefined where it asks for none. */
export async function offeredMechanisms(endpoint: Endpoint): Promise<string[] | undefined> {
  // The name of no mechanism: whoever asks for SASL answers with the names of theirs.
  const answer = await ask(endpoint, request(saslHandshake, 1, text('none')));
  if (answer === undefined || answer.length < 14 || answer.readInt16BE(8) !== unsupportedMechanism)
    return undefined;
  const names: string[] = [];
  for (let left = answer.readInt32BE(10), at = 14; left > 0 && at + 2 <= answer.length; left -= 1) {
    const length = answer.readInt16BE(at);
    names.push(answer.toString('utf8', at + 2, at + 2 + length));
    at += 2 + length;
  }
  return names;
}

function request(apiKey: number, version: number, body: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(8);
  head.writeInt16BE(apiKey, 0);
  head.writeInt16BE(version, 2);
  // The correlation id, by which the answer is known.
  head.writeInt32BE(1, 4);
  const content = Buffer.concat([head, text('probe'), body]);
  const size = Buffer.alloc(4);
  size.writeInt32BE(content.length);
  return Buffer.concat([size, content]);
}

function text(value: string): Buffer {
  const length = Buffer.alloc(2);
  length.writeInt16BE(value.length);
  return Buffer.concat([length, Buffer.from(value)]);
}

/** The beginning of the answer, its length included; undefined when there is none. */
async function ask({ host, port, tls }: Endpoint, bytes: Buffer): Promise<Buffer | undefined> {
  const enough = AbortSignal.timeout(timeoutMs);
  const socket: Socket = tls ? connectTls({ ...tls, host, port }) : connectPlain({ host, port });
  try {
    await once(socket, tls ? 'secureConnect' : 'connect', { signal: enough });
    socket.write(bytes);
    const closed = once(socket, 'close', { signal: enough }).then(() => undefined);
    const answered = once(socket, 'data', { signal: enough }).then(([data]) => data as Buffer);
    // The one that comes second fails when the socket is destroyed.
    closed.catch(() => undefined);
    answered.catch(() => undefined);
    return await Promise.race([closed, answered]);
  } catch {
    // It cannot be asked: that is the answer.
    return undefined;
  } finally {
    socket.on('error', () => undefined);
    socket.destroy();
  }
}
