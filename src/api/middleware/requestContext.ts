import type { Request } from 'express';
import * as express from 'signalbox/express';
import { contextValue } from 'signalbox';
import { invalid } from '../http/validate';

/*
 * Who asks, and under which name the request is found again. This API ships no authentication: a gateway in front of
 * it authenticates, sets `x-actor-id` and must remove the header from what callers send. The actor ends in the events'
 * metadata, so that the audit log can say who did what.
 */

/** Whatever can be printed: identity providers write auth0|5f7c, CLINIC\\ada, ada_example.com#EXT#@clinic.example. */
const printable = /^[^\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+$/u;

/**
 * Runs the rest of the request in the context that events are stamped with. An unusable correlation id is replaced
 * and an unusable traceparent ignored, as their standards ask; an unusable actor is refused (400), because an audit
 * log with a gap is worse than a request that fails.
 */
export const requestContext = express.requestContext<Request>({ actor: actorOf });

/**
 * The header as it was sent: Node reads bytes as Latin-1, and most senders mean UTF-8.
 * @throws HttpProblem (400) when the event could not hold it letter for letter, or when there are two.
 */
function actorOf(request: Request): string | undefined {
  const [value, ...others] = request.headersDistinct['x-actor-id'] ?? [];
  if (value === undefined) return undefined;
  const actor = fromUtf8(value);
  if (others.length === 0 && printable.test(actor) && contextValue(actor) === actor) return actor;
  const message =
    'must be given once, as printable characters, of which an event can hold 300: each counts as many as percent-encoding makes of it';
  throw invalid(400, 'A header is not valid', [{ field: 'x-actor-id', message }]);
}

function fromUtf8(value: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(value, 'latin1'));
  } catch {
    return value;
  }
}
