import { isUtf8 } from 'node:buffer';
import express, { type RequestHandler } from 'express';
import { unsupportedMediaType } from '../problems/requestErrors';

/** PATCH of this API is JSON Merge Patch (RFC 7396), by that name too. */
const accepted = ['application/json', 'application/merge-patch+json'];
const withBody = new Set(['POST', 'PUT', 'PATCH']);

/**
 * Parses the body of POST, PUT and PATCH. Anything but JSON is refused (415), and so are bytes that are not UTF-8,
 * which the parser would silently replace. Any JSON value is let through: the schemas say which they want.
 */
export function jsonBody(limitBytes: number): RequestHandler[] {
  const parse = express.json({ limit: limitBytes, type: accepted, strict: false, verify: refuseMangled });
  return [
    (request, _response, next) => {
      const empty = request.get('content-length') === '0' || request.is(accepted) === null;
      if (withBody.has(request.method) && !empty && request.is(accepted) === false) {
        throw unsupportedMediaType(accepted);
      }
      next();
    },
    (request, response, next) => {
      if (withBody.has(request.method)) parse(request, response, next);
      else next();
    },
  ];
}

function refuseMangled(_request: unknown, _response: unknown, body: Buffer, encoding: string): void {
  if (encoding !== 'utf-8' || isUtf8(body)) return;
  throw Object.assign(new Error('The body is not valid UTF-8'), { status: 400, type: 'entity.not-utf8' });
}
