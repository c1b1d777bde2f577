import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Registry } from 'prom-client';
import { listen } from './listen';
import type { Service } from './lifecycle';
import type { Logger } from './logger';

/** One thing that must hold for a program to be ready; `detail` says what is wrong, in words for an operator. */
export interface ReadinessCheck {
  name: string;
  check: () => Promise<{ ok: boolean; detail?: string }>;
}

export interface OpsServerOptions {
  host: string;
  port: number;
  /** The environment variable that moves the port, for the error when it is taken. */
  portVariable: string;
  metrics: Registry;
  readiness: readonly ReadinessCheck[];
  logger: Logger;
}

/** The outcome of all checks, as /readyz shows it. A check that throws counts as not ready. */
export async function checkReadiness(
  checks: readonly ReadinessCheck[],
): Promise<{ ready: boolean; checks: Record<string, { ok: boolean; detail?: string }> }> {
  const results = await Promise.all(
    checks.map(async ({ name, check }) => {
      try {
        return [name, await check()] as const;
      } catch (error) {
        return [name, { ok: false, detail: error instanceof Error ? error.name : 'failed' }] as const;
      }
    }),
  );
  return { ready: results.every(([, result]) => result.ok), checks: Object.fromEntries(results) };
}

/** A small HTTP server with /livez, /readyz and /metrics, for programs that serve nothing else. */
export class OpsServer implements Service {
  readonly name = 'ops server';
  #server: Server | undefined;

  constructor(private readonly options: OpsServerOptions) {}

  async start(): Promise<void> {
    if (this.#server) return;
    const server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        this.options.logger.error({ err: error }, 'the ops server failed to answer');
        response.destroy();
      });
    });
    await listen(server, this.options);
    this.#server = server;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    server.closeAllConnections();
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url?.split('?')[0]?.replace(/(.)\/$/, '$1');
    if (path === '/livez') return sendJson(response, 200, { ok: true });
    if (path === '/readyz') {
      const readiness = await checkReadiness(this.options.readiness);
      return sendJson(response, readiness.ready ? 200 : 503, readiness);
    }
    if (path === '/metrics') {
      response.setHeader('content-type', this.options.metrics.contentType);
      response.end(await this.options.metrics.metrics());
      return;
    }
    sendJson(response, 404, { title: 'Not found', detail: 'This server knows /livez, /readyz and /metrics' });
  }
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
