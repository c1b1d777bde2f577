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

/** A 503: try again later. */
export function unavailable(detail: string, name = 'unavailable'): Problem {
  return {
    type: problemType(name),
    title: 'Temporarily unavailable',
    status: 503,
    detail,
    headers: { 'retry-after': '1' },
  };
}

const details: Readonly<Record<string, { title: string; detail: string }>> = {
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
};

/**
 * The problem document of an error thrown by Express, its router or its body parser; undefined for any other.
 * Their messages quote the URL and the body, so ours replace them.
 */
export function problemOfRequestError(error: unknown): Problem | undefined {
  if (!(error instanceof Error)) return undefined;
  const { status, type } = error as { status?: unknown; type?: unknown };
  if (typeof status !== 'number' || status < 400 || status > 499) return undefined;
  const known = typeof type === 'string' ? details[type] : undefined;
  const fallback =
    error instanceof URIError
      ? { title: 'Bad request', detail: 'The address is not percent-encoded correctly.' }
      : { title: 'Bad request', detail: 'The request cannot be read.' };
  return { type: 'about:blank', status, ...(known ?? fallback) };
}
