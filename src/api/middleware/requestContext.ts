import { randomUUID } from 'node:crypto';
import type { NextFunction, Request, Response } from 'express';
import { runWithContext } from '../../outbox/context';
import { invalid } from '../http/validate';

/*
 * Who asks, and under which name the request is found again. This API ships no authentication: a gateway in front of
 * it authenticates, sets `x-actor-id` and must remove the header from what callers send. The actor ends in the events'
 * metadata, so that the audit log can say who did what.
 */

const saneId = /^[A-Za-z0-9._-]{1,128}$/;
/** Account ids as identity providers write them, e.g. auth0|5f7c or urn:user:17. */
const saneActor = /^[A-Za-z0-9._:@|/+-]{1,128}$/;
/** W3C Trace Context, level 1: neither id may be all zeros, and version ff is forbidden. */
const saneTraceparent = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The correlation id of a request, for logs and problem documents. */
export function correlationIdOf(response: Response): string {
  return String(response.locals['correlationId']);
}

/**
 * Runs the rest of the request in the context that events are stamped with. An unusable correlation id is replaced
 * and an unusable traceparent ignored, as their standards ask; an unusable actor is refused (400), because an audit
 * log with a gap is worse than a request that fails.
 */
export function requestContext(request: Request, response: Response, next: NextFunction): void {
  const correlationId =
    matching(request, 'x-correlation-id', saneId) ??
    matching(request, 'x-request-id', saneId) ??
    randomUUID();
  response.locals['correlationId'] = correlationId;
  response.set({ 'x-correlation-id': correlationId, 'x-request-id': correlationId });
  const actor = matching(request, 'x-actor-id', saneActor);
  if (actor === undefined && request.get('x-actor-id') !== undefined) {
    const message = `must be 1 to 128 characters of A-Z, a-z, 0-9 and . _ : @ | / + -`;
    throw invalid(400, 'A header is not valid', [{ field: 'x-actor-id', message }]);
  }
  const traceparent = matching(request, 'traceparent', saneTraceparent);
  runWithContext({ correlationId, actor, traceparent }, () => next());
}

function matching(request: Request, header: string, pattern: RegExp): string | undefined {
  const value = request.get(header);
  return value !== undefined && pattern.test(value) ? value : undefined;
}
