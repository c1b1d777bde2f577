import type { ErrorRequestHandler } from 'express';
import type { Logger } from '../../shared/logger';
import { routeOf } from '../http/routes';
import { problemMediaType } from '../problems/problem';
import { toProblem } from '../problems/toProblem';
import { correlationIdOf } from './requestContext';

/** Turns whatever was thrown into a problem document (RFC 9457). Only what is our fault or the database's is logged. */
export function problemHandler(logger: Logger): ErrorRequestHandler {
  return (error: unknown, _request, response, _next) => {
    const { headers = {}, ...problem } = toProblem(error);
    const correlationId = correlationIdOf(response);
    if (problem.status >= 500) {
      const line = { err: error, route: routeOf(response), correlationId };
      if (problem.status === 503) logger.warn(line, 'a request could not be served for now');
      else logger.error(line, 'a request failed');
    }
    // After the deadline's answer, or when a stream broke in the middle, there is nothing left to say.
    if (response.headersSent) return;
    response
      .status(problem.status)
      .set(headers)
      .type(problemMediaType)
      .send(JSON.stringify({ ...problem, correlation_id: correlationId }));
  };
}
