import type { Request } from 'express';
import { z } from 'zod';
import { type FieldProblem, HttpProblem, problemType } from '../problems/problem';

/*
 * Every value that comes from outside passes one of these. All problems of a request are reported at once. Messages
 * name fields and expectations and never quote what was sent: it may be a patient's.
 */

/** @throws HttpProblem (422) that lists what is wrong with the body. */
export function parseBody<S extends z.ZodType>(schema: S, request: Request): z.output<S> {
  const body: unknown = request.body;
  const result = schema.safeParse(body, { error: messageOf });
  if (result.success) return result.data;
  throw invalid(422, 'The body is not valid', bodyProblems(result.error.issues));
}

/** @throws HttpProblem (400) that lists what is wrong with the query parameters. */
export function parseQuery<S extends z.ZodType>(schema: S, request: Request): z.output<S> {
  const result = schema.safeParse(request.query, { error: messageOf });
  if (result.success) return result.data;
  throw invalid(400, 'The query is not valid', problemsOf(result.error.issues));
}

/** Any UUID, of whatever version; which ones exist is another question. */
export const uuidSchema = z.guid().meta({ format: 'uuid' });

/**
 * The id in the path.
 * @throws HttpProblem (400) when it is no UUID.
 */
export function parseId(request: Request): string {
  const id = uuidSchema.safeParse(request.params['id']);
  if (id.success) return id.data.toLowerCase();
  throw invalid(400, 'The address is not valid', [{ field: 'id', message: 'must be a UUID' }]);
}

/** More problems than this are not listed: neither the work nor the answer may grow with what was sent. */
const mostProblems = 20;

/** A problem with fields to blame, each once: what else is wrong with a field may follow from the first. */
export function invalid(status: 400 | 422, title: string, problems: Iterable<FieldProblem>): HttpProblem {
  const byField = new Map<string, FieldProblem>();
  let more = false;
  for (const problem of problems) {
    if (byField.has(problem.field)) continue;
    more = byField.size === mostProblems;
    if (more) break;
    byField.set(problem.field, problem);
  }
  const errors = [...byField.values()];
  const sentences = errors.map(({ field, message }) => (field ? `${field} ${message}` : message));
  const detail = [...sentences, ...(more ? ['and there are more problems'] : [])].join('; ');
  return new HttpProblem({ type: problemType('validation'), title, status, detail, errors });
}

function* problemsOf(issues: readonly z.core.$ZodIssue[]): Generator<FieldProblem> {
  for (const issue of issues) {
    if (issue.code !== 'unrecognized_keys') {
      yield { field: issue.path.map(String).join('.'), message: issue.message };
      continue;
    }
    for (const key of issue.keys) yield { field: shownName(key), message: 'is not known here' };
  }
}

function* bodyProblems(issues: readonly z.core.$ZodIssue[]): Generator<FieldProblem> {
  for (const problem of problemsOf(issues)) {
    yield { ...problem, pointer: problem.field ? `#/${problem.field.replaceAll('.', '/')}` : '#' };
  }
}

/** A name that nobody would give a field may be a value in the wrong place. */
function shownName(key: string): string {
  return /^[A-Za-z_][A-Za-z0-9_-]{0,39}$/.test(key) ? key : '(another field)';
}

/** What zod found, said without the value. Schemas that bring their own messages are not asked. */
function messageOf(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      if (!issue.path?.length) return 'The body must be a JSON object';
      if (Array.isArray(issue.input)) return 'must be given once';
      return issue.input === undefined ? 'is required' : `must be a ${issue.expected}`;
    case 'too_small':
      return issue.origin === 'string' ? 'must not be empty' : `must be at least ${String(issue.minimum)}`;
    case 'too_big':
      return issue.origin === 'string'
        ? `must have at most ${String(issue.maximum)} characters`
        : `must be at most ${String(issue.maximum)}`;
    case 'invalid_format':
      return formats[issue.format] ?? 'is not written as expected';
    case 'invalid_value':
      return `must be one of ${issue.values.map(String).join(', ')}`;
    default:
      return 'is not valid';
  }
}

const formats: Readonly<Record<string, string>> = {
  email: 'must be an e-mail address',
  guid: 'must be a UUID',
  date: 'must be a day, YYYY-MM-DD',
  datetime: 'must be a time with an offset, such as 2026-01-31T09:30:00Z (a "+" in an address is %2B)',
};
