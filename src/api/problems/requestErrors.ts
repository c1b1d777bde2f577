import { HttpProblem, type Problem, problemType } from './problem';

/** A 404 for a path that the API does not know. */
export function unknownRoute(): HttpProblem {
  return new HttpProblem({
    type: 'about:blank',
    title: 'Not found',
    status: 404,
    detail: 'There is nothing at this address. /docs lists what there is.',
  });
}

/** A 405 that names the methods which the path does have. */
export function methodNotAllowed(allowed: readonly string[]): HttpProblem {
  return new HttpProblem({
    type: 'about:blank',
    title: 'Method not allowed',
    status: 405,
    detail: `This address allows ${allowed.join(', ')}.`,
    headers: { allow: allowed.join(', ') },
  });
}

/** A 415 for a body that is not said to be JSON. */
export function unsupportedMediaType(accepted: readonly string[]): HttpProblem {
  return new HttpProblem({
    type: 'about:blank',
    title: 'Unsupported media type',
    status: 415,
    detail: `Send the body as ${accepted.join(' or ')}.`,
    headers: { accept: accepted.join(', ') },
  });
}

/** A 413, answered before the body has been read: the connection is closed, for the rest of it is not wanted. */
export function contentTooLarge(): HttpProblem {
  return new HttpProblem({ type: 'about:blank', status: 413, ...details['entity.too.large'] });
}

/** A 417 for an `Expect` other than 100-continue. */
export function expectationFailed(): HttpProblem {
  return new HttpProblem({
    type: 'about:blank',
    title: 'Expectation failed',
    status: 417,
    detail: 'The only expectation that this API knows is 100-continue.',
  });
}

/** A 503 for a request of which nothing was done, so that it may be sent again as it is. */
export function unavailable(detail: string, name = 'unavailable'): Problem {
  return { ...inDoubt(detail, name), headers: { 'retry-after': '1' } };
}

/** A 503 without `Retry-After`: what was asked may have been done, and sending it again may do it twice. */
export function inDoubt(detail: string, name: string): Problem {
  return { type: problemType(name), title: 'Temporarily unavailable', status: 503, detail };
}

/** The answer to a request that takes longer than it may. */
export function tookTooLong(mayHaveCommitted: boolean): HttpProblem {
  return new HttpProblem(
    mayHaveCommitted
      ? inDoubt(
          'The request took too long. It may have been carried out: look before you try again.',
          'timeout',
        )
      : unavailable('The request took too long and was not carried out. Try again.', 'timeout'),
  );
}

/** The answer to a request that was not begun, because too many others are being served. */
export function overloaded(): HttpProblem {
  return new HttpProblem(
    unavailable('Too many requests are waiting. Nothing was done; try again.', 'overloaded'),
  );
}

const details = {
  'entity.parse.failed': { title: 'Invalid JSON', detail: 'The body is not valid JSON.' },
  'entity.not-utf8': { title: 'Invalid JSON', detail: 'The body is not valid UTF-8.' },
  'entity.too.large': { title: 'Content too large', detail: 'The body is larger than this API accepts.' },
  'charset.unsupported': { title: 'Unsupported charset', detail: 'Send the body in UTF-8.' },
  'encoding.unsupported': {
    title: 'Unsupported content encoding',
    detail: 'Send the body as it is, or compressed with gzip, deflate or br.',
  },
  'request.aborted': { title: 'Bad request', detail: 'The request ended before its body was complete.' },
  'request.size.invalid': { title: 'Bad request', detail: 'The body is not as long as Content-Length says.' },
} as const;

/**
 * The problem document of an error thrown by Express, its router or its body parser; undefined for any other.
 * Their messages quote the URL and the body, so ours replace them.
 */
export function problemOfRequestError(error: unknown): Problem | undefined {
  if (!(error instanceof Error)) return undefined;
  const { status, type } = error as { status?: unknown; type?: unknown };
  if (typeof status !== 'number' || status < 400 || status > 499) return undefined;
  const known =
    typeof type === 'string' && type in details ? details[type as keyof typeof details] : undefined;
  const fallback =
    error instanceof URIError
      ? { title: 'Bad request', detail: 'The address is not percent-encoded correctly.' }
      : { title: 'Bad request', detail: 'The request cannot be read.' };
  return { type: 'about:blank', status, ...(known ?? fallback) };
}
