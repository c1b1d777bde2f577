import { once } from 'node:events';
import { connect } from 'node:net';
import { createApp } from '../../../src/api/app';
import type { Database } from '../../../src/api/database';
import { ApiServer } from '../../../src/api/server';
import type { ReadinessCheck } from '../../../src/shared/opsServer';
import { createMetrics } from '../../../src/shared/metrics';
import { type CapturedLog, captureLogger } from '../../support/logger';
import { waitFor } from '../../support/waitFor';

export interface FakeApi {
  readonly port: number;
  readonly log: CapturedLog;
  stop(): Promise<void>;
}

/** The API on a client that is made up, listening on a free port. */
export async function startFakeApi(
  prisma: object,
  requestTimeoutMs = 5_000,
  readiness: readonly ReadinessCheck[] = [],
): Promise<FakeApi> {
  const log = captureLogger();
  const app = createApp({
    prisma: prisma as Database,
    logger: log.logger,
    metrics: createMetrics('api'),
    readiness,
    bodyLimitBytes: 100_000,
    requestTimeoutMs,
  });
  const { logger } = log;
  const host = '127.0.0.1';
  const server = new ApiServer({ app, host, port: 0, requestTimeoutMs: 30_000, drainMs: 0, logger });
  await server.start();
  return { port: server.port ?? 0, log, stop: () => server.stop() };
}

export interface Conversation {
  /** Sends bytes. Once the server has closed the connection nothing is sent, and no error is raised. */
  send(bytes: string | Buffer): void;
  /** Ends the sending side. */
  end(): void;
  /** Waits until what has come matches. */
  until(pattern: RegExp): Promise<string>;
  /** Waits for the end of the connection and returns all that has come. */
  rest(): Promise<string>;
  /** The status codes of all answers so far, interim ones included. */
  statuses(): number[];
  /** Bytes that the server, or the network for it, has taken. */
  taken(): number;
}

/** Speaks HTTP by hand. */
export async function converse(port: number): Promise<Conversation> {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  let isClosed = false;
  socket.on('data', (chunk) => (text += String(chunk))).on('error', () => undefined);
  socket.on('close', () => (isClosed = true));
  await once(socket, 'connect');
  return {
    send: (bytes) => void (socket.writable && socket.write(bytes)),
    end: () => void socket.end(),
    until: async (pattern) => {
      await waitFor(() => pattern.test(text), { what: () => `${pattern} in ${JSON.stringify(text)}` });
      return text;
    },
    rest: async () => {
      await waitFor(() => isClosed, { what: 'the connection to be closed' });
      return text;
    },
    statuses: () => [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status)),
    taken: () => socket.bytesWritten - socket.writableLength,
  };
}
