import {
  createServer,
  type RequestListener,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import type { Duplex } from 'node:stream';
import { listen } from '../shared/listen';
import type { Service } from '../shared/lifecycle';
import type { Logger } from '../shared/logger';
import { problemMediaType } from './problems/problem';

export interface ApiServerOptions {
  readonly app: RequestListener;
  readonly host: string;
  readonly port: number;
  /** Longest time that a request may take to arrive, in milliseconds; then 408 and the connection is closed. */
  readonly requestTimeoutMs: number;
  /** Longest time that requests in flight are waited for when stopping, in milliseconds. */
  readonly drainMs: number;
  readonly logger: Logger;
}

/**
 * Listens for the application.
 *
 * Stopping: no connection is accepted any more, idle ones are closed, requests in flight are answered with
 * `Connection: close`, and when they are done, or after `drainMs`, whatever is left is cut.
 */
export class ApiServer implements Service {
  readonly name = 'api server';
  readonly #inFlight = new Set<ServerResponse>();
  #server: Server | undefined;
  #stopping: Promise<void> | undefined;

  constructor(private readonly options: ApiServerOptions) {}

  /** The port on which it listens, or undefined when it does not. */
  get port(): number | undefined {
    const address = this.#server?.address();
    return typeof address === 'object' ? address?.port : undefined;
  }

  /** @throws UserError when the port cannot be had */
  async start(): Promise<void> {
    if (this.#server) return;
    const { app, host, port, requestTimeoutMs, logger } = this.options;
    const server = createServer({
      requestTimeout: requestTimeoutMs,
      headersTimeout: requestTimeoutMs,
      connectionsCheckingInterval: Math.min(1_000, requestTimeoutMs),
    });
    server.on('request', (_request, response: ServerResponse) => this.#track(response));
    server.on('request', app);
    server.on('clientError', refuse);
    await listen(server, { host, port, portVariable: 'PORT' });
    this.#server = server;
    logger.info({ host, port: this.port }, 'the API is listening');
  }

  stop(): Promise<void> {
    const server = this.#server;
    if (!server) return this.#stopping ?? Promise.resolve();
    this.#server = undefined;
    this.#stopping = this.#drain(server).finally(() => {
      this.#stopping = undefined;
    });
    return this.#stopping;
  }

  #track(response: ServerResponse): void {
    this.#inFlight.add(response);
    if (this.#stopping) closeAfter(response);
    response.once('close', () => this.#inFlight.delete(response));
  }

  async #drain(server: Server): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
    const answers = [...this.#inFlight].map((response) => {
      closeAfter(response);
      return new Promise<void>((resolve) => {
        response.once('close', resolve);
      });
    });
    await Promise.race([Promise.all(answers), timeout(this.options.drainMs, closed)]);
    // What is open now has sent no request, or did not end in time.
    server.closeAllConnections();
    await closed;
  }
}

function closeAfter(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('connection', 'close');
}

function timeout(ms: number, unless: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    void unless.then(() => clearTimeout(timer));
  });
}

const statusOfCode: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/** What is no HTTP, or came too slowly, never reaches the application. It gets a problem document all the same. */
function refuse(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = statusOfCode[error.code ?? ''] ?? 400;
  const title = STATUS_CODES[status] ?? 'Bad Request';
  const body = JSON.stringify({ type: 'about:blank', title, status });
  const head = [
    `HTTP/1.1 ${status} ${title}`,
    `content-type: ${problemMediaType}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'cache-control: no-store',
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
