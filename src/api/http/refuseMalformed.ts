import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { problemMediaType } from '../problems/problem';

/** Longest time, in milliseconds, that a refused connection stays open for its client to read the answer. */
const lingerMs = 1_000;

const statusOfCode: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

const refused = new WeakSet<Duplex>();

/**
 * Refuses what is not HTTP, or came too slowly: it never reaches the application, and gets a problem document all the
 * same. Requests that came before it on the connection are carried out, so their answers go first.
 * @param inFlight the answers of this connection that have not been sent
 */
export async function refuseMalformed(
  fault: NodeJS.ErrnoException,
  socket: Duplex,
  inFlight: readonly ServerResponse[],
): Promise<void> {
  // What comes after a fault is reported as another fault.
  if (refused.has(socket)) return;
  refused.add(socket);
  if (fault.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  // Node would end the connection when the client has ended its side. We do, when all has been answered.
  socket.removeAllListeners('end');
  // The fault may lie in the body of the last request; that one has been answered if its headers were enough.
  const broken = inFlight.find(({ req }) => !req.complete);
  const answered = inFlight.filter((response) => response !== broken || response.headersSent);
  await Promise.all(answered.map(closed));
  if (broken?.headersSent || !socket.writable) socket.destroy();
  else answerAndClose(socket, statusOfCode[fault.code ?? ''] ?? 400);
}

async function closed(response: ServerResponse): Promise<void> {
  if (response.closed) return;
  await new Promise<void>((resolve) => {
    response.once('close', resolve);
  });
}

function answerAndClose(socket: Duplex, status: number): void {
  const title = STATUS_CODES[status] ?? 'Bad Request';
  const body = JSON.stringify({ type: 'about:blank', title, status });
  const head = [
    `HTTP/1.1 ${status} ${title}`,
    `content-type: ${problemMediaType}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'cache-control: no-store',
    'connection: close',
  ];
  const timer = setTimeout(() => socket.destroy(), lingerMs);
  socket.once('close', () => clearTimeout(timer));
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
