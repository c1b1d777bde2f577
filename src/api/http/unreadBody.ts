import type { IncomingMessage } from 'node:http';

/** Longest time, in milliseconds, that a client may go on sending a body that is not wanted. */
const lingerMs = 1_000;

/** Whether a request announces a body. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/**
 * Whether the connection cannot be used any more after an answer that is sent now: more than `limitBytes` bytes of the
 * body may follow, or the client waits to be asked for the body, and we don't know whether it will send it.
 */
export function endsConnection(request: IncomingMessage, limitBytes: number): boolean {
  if (request.complete) return false;
  const { expect, 'transfer-encoding': coding, 'content-length': length } = request.headers;
  return expect !== undefined || coding !== undefined || Number(length ?? 0) > limitBytes;
}

/**
 * Reads on and throws away until the body ends, for a second or `limitBytes` bytes at most. A connection that is closed
 * while bytes are under way is reset, and a reset may reach the client before the answer that says why.
 */
export async function discardBody(request: IncomingMessage, limitBytes: number): Promise<void> {
  let seen = 0;
  let timer: NodeJS.Timeout | undefined;
  await new Promise<void>((resolve) => {
    timer = setTimeout(resolve, lingerMs);
    request.once('end', resolve).once('close', resolve);
    request.on('data', (chunk: Buffer) => {
      seen += chunk.length;
      if (seen > limitBytes) resolve();
    });
    request.resume();
  });
  clearTimeout(timer);
}
