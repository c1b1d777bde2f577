import type { Request, Response, Router } from 'express';
import { methodNotAllowed } from '../problems/requestErrors';

/** What a handler answers. Strings and buffers are sent as they are, with the content type that `headers` names; the rest as JSON. */
export interface Reply {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One operation of the API. Whatever `handle` throws becomes a problem document. */
export interface Route {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** In Express' notation, without a trailing slash; also the label in logs and metrics. */
  readonly path: string;
  readonly handle: (request: Request) => Promise<Reply>;
}

/** Where the matched pattern is kept for the access log and the metrics: the URL itself may hold anything. */
export function routeOf(response: Response): string {
  const pattern: unknown = response.locals['route'];
  return typeof pattern === 'string' ? pattern : '(unmatched)';
}

/** Adds the routes, and for each of their paths OPTIONS and a 405 that names the methods it has. */
export function mountRoutes(router: Router, routes: readonly Route[]): void {
  for (const path of new Set(routes.map((route) => route.path))) {
    const ofPath = routes.filter((route) => route.path === path);
    const allowed = allowedMethods(ofPath);
    router.all(path, (_request, response, next) => {
      response.locals['route'] = path;
      next();
    });
    for (const { method, handle } of ofPath) {
      router[method](path, async (request: Request, response: Response) =>
        send(response, await handle(request)),
      );
    }
    router.all(path, (request, response) => {
      if (request.method !== 'OPTIONS') throw methodNotAllowed(allowed);
      response.set('allow', allowed.join(', ')).status(204).end();
    });
  }
}

function allowedMethods(routes: readonly Route[]): string[] {
  const own = routes.map((route) => route.method.toUpperCase());
  return [...own, ...(own.includes('GET') ? ['HEAD'] : []), 'OPTIONS'];
}

function send(response: Response, { status, body, headers = {} }: Reply): void {
  // The deadline has answered already; what the handler did is done all the same.
  if (response.headersSent) return;
  response.status(status).set(headers);
  if (body === undefined) response.end();
  else if (typeof body === 'string' || Buffer.isBuffer(body)) response.send(body);
  else response.json(body);
}
