/**
 * One client's connection. Requests are answered one after the other, in order, as Apache Kafka does. It is read on
 * while one is being answered, because a client that hangs up in the middle of a long poll can't be noticed otherwise;
 * but when requests pile up, reading pauses until they are answered.
 * What can't be understood or answered closes the connection with a line in the log; it never harms others.
 */
import type { Socket } from 'node:net';
import type { Logger } from 'pino';
import { FrameSplitter } from './frames';

export interface ConnectionOptions {
  readonly socket: Socket;
  readonly logger: Logger;
  readonly maxFrameBytes: number;
  /** Answers one request; undefined: no answer. `gone` is aborted when the client has hung up. */
  readonly answer: (frame: Buffer, gone: AbortSignal) => Promise<Buffer[] | undefined>;
}

const maxWaitingFrames = 32;
const maxWaitingBytes = 16_777_216;

export function serveConnection({ socket, logger, maxFrameBytes, answer }: ConnectionOptions): void {
  const splitter = new FrameSplitter(maxFrameBytes);
  const waiting: Buffer[] = [];
  const closed = new AbortController();
  const client = `${socket.remoteAddress}:${socket.remotePort}`;
  let isWorking = false;

  socket.setNoDelay(true);
  socket.on('close', () => closed.abort());
  socket.on('error', (error) => logger.debug({ err: error, client }, 'a connection broke'));
  socket.on('data', (chunk) => {
    try {
      waiting.push(...splitter.push(chunk));
    } catch (error) {
      giveUp(error);
      return;
    }
    if (isTooMuch(waiting)) socket.pause();
    if (!isWorking) answerAll().catch(giveUp);
  });

  async function answerAll(): Promise<void> {
    isWorking = true;
    for (let frame = waiting.shift(); frame !== undefined; frame = waiting.shift()) {
      const response = await answer(frame, closed.signal);
      if (closed.signal.aborted) return;
      if (response !== undefined) await send(socket, response);
      if (socket.isPaused() && !isTooMuch(waiting)) socket.resume();
    }
    isWorking = false;
  }

  function giveUp(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    if (!closed.signal.aborted) logger.warn({ client, reason }, 'closed a connection');
    socket.destroy();
  }
}

function isTooMuch(waiting: readonly Buffer[]): boolean {
  const bytes = waiting.reduce((sum, frame) => sum + frame.length, 0);
  return waiting.length > maxWaitingFrames || bytes > maxWaitingBytes;
}

/** Waits for a slow reader, so that answers don't pile up in memory. */
async function send(socket: Socket, response: readonly Buffer[]): Promise<void> {
  socket.cork();
  const flowing = response.map((chunk) => socket.write(chunk)).every(Boolean);
  socket.uncork();
  if (flowing || socket.destroyed) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      socket.off('drain', done).off('close', done);
      resolve();
    };
    socket.on('drain', done).on('close', done);
  });
}
