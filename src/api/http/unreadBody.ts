import type { IncomingMessage } from 'node:http';

/** Longest time, in milliseconds, that a client may go on sending a body that is not wanted. */
const lingerMs = 1_000;

/** Whether a request announces a body. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** Whether a body has more than `limitBytes` bytes, as far as can be known before it has been read. */
export function mayExceed(request: IncomingMessage, limitBytes: number): boolean {
  if (request.headers['transfer-encoding'] !== undefined) return !request.complete;
  return Number(request.headers['content-length'] ?? 0) > limitBytes;
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
