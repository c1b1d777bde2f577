import { AsyncResource } from 'node:async_hooks';
import { isUtf8 } from 'node:buffer';
import express, { type NextFunction, type Request, type RequestHandler } from 'express';
import { hasBody } from '../http/unreadBody';
import { contentTooLarge, expectationFailed, unsupportedMediaType } from '../problems/requestErrors';

/** PATCH of this API is JSON Merge Patch (RFC 7396), by that name too. */
const accepted = ['application/json', 'application/merge-patch+json'];
const withBody = new Set(['POST', 'PUT', 'PATCH']);

/**
 * Receives the body of a request: JSON for POST, PUT and PATCH; that of any other method is read and ignored. What the
 * headers already rule out is refused before a byte of the body is read or asked for.
 *
 * Anything but JSON is refused (415), and so are bytes that are not UTF-8, which the parser would silently replace. Any
 * JSON value is let through: the schemas say which they want. A body above `limitBytes`, as sent or as unpacked, is
 * refused (413) when that becomes known and not at its end.
 */
export function requestBody(limitBytes: number): RequestHandler {
  const parse = express.json({ limit: limitBytes, type: accepted, strict: false, verify: refuseMangled });
  return (request, response, next) => {
    refuseByHeaders(request, limitBytes);
    if (!hasBody(request)) return next();
    const received = atMost(limitBytes, request, AsyncResource.bind(next));
    if (request.get('expect') !== undefined && request.httpVersion === '1.1') response.writeContinue();
    if (withBody.has(request.method)) parse(request, response, received);
    else request.once('end', () => received()).resume();
  };
}

/** @throws HttpProblem 413, 415 or 417 */
function refuseByHeaders(request: Request, limitBytes: number): void {
  const expectation = request.get('expect');
  if (expectation !== undefined && !/^\s*100-continue\s*$/i.test(expectation)) throw expectationFailed();
  if (Number(request.get('content-length') ?? 0) > limitBytes) throw contentTooLarge();
  if (withBody.has(request.method) && hasBody(request) && request.is(accepted) === false)
    throw unsupportedMediaType(accepted);
}

/**
 * `next`, but called with 413 as soon as more than `limitBytes` bytes have come, and only once. The parser alone would
 * read a body that is too large to its end before it says so.
 */
function atMost(limitBytes: number, request: Request, next: NextFunction): NextFunction {
  let seen = 0;
  let called = false;
  const once = (error?: unknown): void => {
    if (called) return;
    called = true;
    next(error);
  };
  request.on('data', (chunk: Buffer) => {
    seen += chunk.length;
    if (seen > limitBytes) once(contentTooLarge());
  });
  return once;
}

function refuseMangled(_request: unknown, _response: unknown, body: Buffer, encoding: string): void {
  if (encoding !== 'utf-8' || isUtf8(body)) return;
  throw Object.assign(new Error('The body is not valid UTF-8'), { status: 400, type: 'entity.not-utf8' });
}
