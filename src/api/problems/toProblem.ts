import { judgeDatabaseError } from './databaseErrors';
import { DomainError } from './domainError';
import { problemOfDomainError } from './domainProblems';
import { HttpProblem, type Problem } from './problem';
import { problemOfRequestError, unavailable } from './requestErrors';

const unexpected: Problem = {
  type: 'about:blank',
  title: 'Internal server error',
  status: 500,
  detail: 'Something failed that should not. The log has the details under the correlation id.',
};

/** The problem document of whatever was thrown. Nothing of an unexpected error is shown. */
export function toProblem(error: unknown): Problem {
  if (error instanceof HttpProblem) return error.problem;
  if (error instanceof DomainError) return problemOfDomainError(error);
  const verdict = judgeDatabaseError(error);
  if (verdict?.kind === 'refused') return problemOfDomainError(verdict.error);
  if (verdict?.kind === 'unavailable') {
    return unavailable('The database cannot be used right now. Try again.', 'database-unavailable');
  }
  if (verdict?.kind === 'contended') {
    return unavailable('Another request changed the same records. Try again.', 'contended');
  }
  return problemOfRequestError(error) ?? unexpected;
}
