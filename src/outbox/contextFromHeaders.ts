import { randomUUID } from 'node:crypto';
import type { EventContext } from './context';

/** Headers as Node has them (`request.headers`), or those of a fetch `Request`. */
export type RequestHeaders =
  Readonly<Record<string, string | readonly string[] | undefined>> | { get(name: string): string | null };

const saneId = /^[A-Za-z0-9._-]{1,128}$/;
/** W3C Trace Context, level 1: neither id may be all zeros, and version ff is forbidden. */
const saneTraceparent = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/**
 * The context of a request, for `withContext`: the id by which it is found again (`x-correlation-id`, else
 * `x-request-id`, else a new UUID) and its `traceparent`. What cannot be used is replaced or left out, as the standards
 * ask. The actor is the caller's to give: only it knows who has been authenticated.
 */
export function contextFromHeaders(
  headers: RequestHeaders,
  { actor }: { readonly actor?: string | undefined } = {},
): EventContext & { readonly correlationId: string } {
  const matching = (name: string, pattern: RegExp): string | undefined => {
    const value = readHeader(headers, name);
    return value !== undefined && pattern.test(value) ? value : undefined;
  };
  return {
    correlationId: matching('x-correlation-id', saneId) ?? matching('x-request-id', saneId) ?? randomUUID(),
    traceparent: matching('traceparent', saneTraceparent),
    actor,
  };
}

function readHeader(headers: RequestHeaders, name: string): string | undefined {
  const value = typeof headers.get === 'function' ? headers.get(name) : plain(headers)[name];
  return typeof value === 'string' ? value : undefined;
}

const plain = (headers: RequestHeaders) => headers as Readonly<Record<string, unknown>>;
