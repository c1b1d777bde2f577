import type { RequestHandler } from 'express';
import { HttpProblem } from '../problems/problem';
import { unavailable } from '../problems/requestErrors';

/**
 * Answers 503 when a handler takes longer than `timeoutMs`, e.g. because the database accepts connections and says
 * nothing. What the handler began may still be done: the caller must look before it tries again.
 */
export function deadline(timeoutMs: number): RequestHandler {
  return (_request, response, next) => {
    const timer = setTimeout(() => {
      if (response.headersSent) return;
      next(
        new HttpProblem(
          unavailable(
            'The request took too long. It may still be carried out: look before you try again.',
            'timeout',
          ),
        ),
      );
    }, timeoutMs);
    response.once('close', () => clearTimeout(timer));
    next();
  };
}
