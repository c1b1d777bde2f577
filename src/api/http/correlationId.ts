import type { Response } from 'express';

/** The correlation id of a request, for logs and problem documents. */
export function correlationIdOf(response: Response): string {
  return String(response.getHeader('x-correlation-id'));
}
