import type { Request, Response } from 'express';
import { type CommitGate, describeErrorWithoutMessage, type Logger } from 'signalbox/service';
import { correlationIdOf } from './correlationId';
import { type Problem, problemMediaType } from '../problems/problem';
import { toProblem } from '../problems/toProblem';
import { routeOf } from './routes';
import { discardBody, endsConnection } from './unreadBody';

/** Where the deadline keeps the gate of a request, so that the answer can say what may have been done. */
const gateKey = 'commitGate';

export function keepGate(response: Response, gate: CommitGate): void {
  response.locals[gateKey] = gate;
}

function gateOf(response: Response): CommitGate | undefined {
  return response.locals[gateKey] as CommitGate | undefined;
}

export type AnswerProblem = (thrown: unknown, request: Request, response: Response) => void;

/**
 * The one place where errors end: answers a problem document (RFC 9457), and logs what is our fault or the database's.
 * It may be called at any time and more than once for a request; only the first call answers. Express' own last handler
 * prints whole errors and cuts the connection, so nothing may ever be left to it.
 */
export function createAnswerProblem(logger: Logger, bodyLimitBytes: number): AnswerProblem {
  // The text of an unexpected error may quote a row.
  const failures = logger.child({}, { serializers: { err: describeErrorWithoutMessage } });

  async function answer(thrown: unknown, request: Request, response: Response): Promise<void> {
    const gate = gateOf(response);
    const problem = toProblem(thrown, gate?.mayHaveCommitted);
    const line = { err: thrown, route: routeOf(response), correlationId: correlationIdOf(response) };
    if (problem.status >= 500 && problem.status !== 503) failures.error(line, 'a request failed');
    else if (problem.status === 503 && gate?.isClosed && response.headersSent) {
      logger.debug(line, 'a request was given up');
    } else if (problem.status === 503) logger.warn(line, 'a request could not be served for now');
    // After the deadline's answer, or when the client has left, there is nothing more to say.
    if (!response.headersSent) await send(problem, request, response, bodyLimitBytes);
  }

  return (thrown, request, response) => {
    answer(thrown, request, response).catch((failure: unknown) => {
      failures.error({ err: failure }, 'a problem could not be answered');
      response.destroy();
    });
  };
}

async function send(
  { headers = {}, ...problem }: Problem,
  request: Request,
  response: Response,
  bodyLimitBytes: number,
): Promise<void> {
  const body = JSON.stringify({ ...problem, correlation_id: correlationIdOf(response) });
  response.status(problem.status).set(headers).type(problemMediaType);
  if (problem.status !== 413 && !endsConnection(request, bodyLimitBytes)) {
    response.send(body);
    return;
  }
  // The client has the whole answer at once, and the connection ends a little later.
  response.set({ connection: 'close', 'content-length': String(Buffer.byteLength(body)) });
  response.write(body);
  await discardBody(request, bodyLimitBytes);
  response.end();
}
