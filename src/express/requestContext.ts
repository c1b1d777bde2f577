import { withContext } from '../outbox/context';
import { contextFromHeaders, type RequestHeaders } from '../outbox/contextFromHeaders';

/** What is needed of a request and a response: Express 4 and 5, and everything that is built on Node's server. */
export interface RequestLike {
  readonly headers: RequestHeaders;
}
export interface ResponseLike {
  setHeader(name: string, value: string): unknown;
}

export interface RequestContextOptions<Request> {
  /** Who asks: an account's id, never a person's name. What it throws goes to Express's error handlers. */
  readonly actor?: (request: Request) => string | undefined;
}

/**
 * Express middleware that runs the rest of the request in the context that events are stamped with, and names the
 * correlation id in the response. One line, before the routes: `app.use(requestContext({ actor: (request) => … }))`.
 */
export function requestContext<Request extends RequestLike>({ actor }: RequestContextOptions<Request> = {}) {
  return (request: Request, response: ResponseLike, next: () => void): void => {
    const context = contextFromHeaders(request.headers);
    response.setHeader('x-correlation-id', context.correlationId);
    response.setHeader('x-request-id', context.correlationId);
    withContext({ ...context, actor: actor?.(request) }, () => next());
  };
}
