import type { RequestHandler } from 'express';
import { CommitGate, runBehindGate } from 'signalbox/service';
import { type AnswerProblem, keepGate } from '../http/answerProblem';
import { tookTooLong } from '../problems/requestErrors';

/**
 * Answers 503 when a handler takes longer than `timeoutMs`, e.g. because the database accepts connections and says
 * nothing. From then on, and when the client has left, nothing of the request is committed any more. So the answer can
 * say whether anything was done; only when a COMMIT was already under way that is not known.
 */
export function deadline(timeoutMs: number, answerProblem: AnswerProblem): RequestHandler {
  return (request, response, next) => {
    const gate = new CommitGate();
    keepGate(response, gate);
    const timer = setTimeout(() => {
      gate.close();
      if (!response.headersSent) answerProblem(tookTooLong(gate.mayHaveCommitted), request, response);
    }, timeoutMs);
    response.once('close', () => {
      clearTimeout(timer);
      gate.close();
    });
    runBehindGate(gate, () => next());
  };
}
