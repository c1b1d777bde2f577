import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { listen, type Logger, type Service } from 'signalbox/service';
import { refuseMalformed } from './http/refuseMalformed';

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
    const serve: RequestListener = (request, response) => {
      this.#track(response);
      app(request, response);
    };
    server.on('request', serve);
    // Node would ask for the body at once; the application does, when it wants it.
    server.on('checkContinue', serve);
    server.on('checkExpectation', serve);
    server.on('clientError', (error, socket) => {
      const inFlight = [...this.#inFlight].filter((response) => response.req.socket === socket);
      void refuseMalformed(error, socket, inFlight);
    });
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
