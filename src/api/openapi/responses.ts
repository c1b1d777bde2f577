import type { ResponseConfig } from '@asteasolutions/zod-to-openapi';
import { z } from 'zod';
import { uuidSchema } from '../http/validate';
import { problemMediaType } from '../problems/problem';

/*
 * Pieces that the descriptions of several operations share.
 */

export const problemSchema = z
  .object({
    type: z.string().meta({ description: 'urn:healthcore:problem:<name>, or about:blank' }),
    title: z.string(),
    status: z.int(),
    detail: z.string().optional(),
    errors: z
      .array(z.object({ field: z.string(), pointer: z.string().optional(), message: z.string() }))
      .optional()
      .meta({ description: 'Everything that is wrong, each with the field to blame' }),
    correlation_id: z.string(),
  })
  .meta({ id: 'Problem', description: 'A problem document, RFC 9457' });

const reasons: Readonly<Record<number, string>> = {
  400: 'The address, the query, a header or the JSON cannot be read',
  404: 'There is nothing with this id',
  409: 'The current state does not allow it',
  413: 'The body is too large',
  415: 'The body is not JSON',
  422: 'The body is not valid; `errors` names every field to blame',
  503: 'Temporarily unavailable. With Retry-After nothing was done; without it, look before you try again',
};

type Responses = Record<number, ResponseConfig>;

/** Problem responses for the statuses, and the 503 that every operation may give. */
export function problems(...statuses: number[]): Responses {
  const entries = [...statuses, 503].map((status): [number, ResponseConfig] => [
    status,
    {
      description: reasons[status] ?? 'A problem',
      content: { [problemMediaType]: { schema: problemSchema } },
    },
  ]);
  return Object.fromEntries(entries);
}

/** Problem responses of an operation with a body. */
export function bodyProblems(...statuses: number[]): Responses {
  return problems(400, 413, 415, 422, ...statuses);
}

/** A response with JSON. */
export function json(description: string, schema: z.ZodType): ResponseConfig {
  return { description, content: { 'application/json': { schema } } };
}

/** A request body of JSON. */
export function body(schema: z.ZodType) {
  return { required: true, content: { 'application/json': { schema } } };
}

/** The id in the path. */
export const idParams = z.object({ id: uuidSchema });

/** The schema of a page of items. */
export function pageOf(item: z.ZodType) {
  return z.object({ items: z.array(item), next_cursor: z.string().nullable() });
}

/** Headers that every operation of the API reads. */
export const contextHeaders = z.object({
  'x-correlation-id': z.string().optional().meta({
    description:
      '1 to 128 of A-Z a-z 0-9 . _ -; made up when absent. Answered, logged, and part of the events',
  }),
  'x-actor-id': z.string().optional().meta({
    description:
      'The account that asks, as set by an authenticating gateway, which must drop what callers send: one printable text of at most 300 characters, percent-encoded. Part of the events',
  }),
  traceparent: z.string().optional().meta({ description: 'W3C trace context. Part of the events' }),
});
