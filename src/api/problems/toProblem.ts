import { judgeDatabaseError } from './databaseErrors';
import { DomainError } from './domainError';
import { problemOfDomainError } from './domainProblems';
import { HttpProblem, type Problem } from './problem';
import { inDoubt, problemOfRequestError, unavailable } from './requestErrors';

const unexpected: Problem = {
  type: 'about:blank',
  title: 'Internal server error',
  status: 500,
  detail: 'Something failed that should not. The log has the details under the correlation id.',
};

/**
 * The problem document of an error. Nothing of an unexpected error is shown: its text may quote a patient's data.
 * @param mayHaveCommitted whether the request may have been carried out although it failed
 */
export function toProblem(error: unknown, mayHaveCommitted = false): Problem {
  if (error instanceof HttpProblem) return error.problem;
  if (error instanceof DomainError) return problemOfDomainError(error);
  const verdict = judgeDatabaseError(error);
  if (verdict?.kind === 'refused') return problemOfDomainError(verdict.error);
  if (verdict?.kind === 'unavailable') return unavailableDatabase(mayHaveCommitted);
  if (verdict?.kind === 'contended') {
    return unavailable('Another request changed the same records. Try again.', 'contended');
  }
  return problemOfRequestError(error) ?? unexpected;
}

function unavailableDatabase(mayHaveCommitted: boolean): Problem {
  const name = 'database-unavailable';
  if (!mayHaveCommitted) return unavailable('The database cannot be used right now. Try again.', name);
  return inDoubt(
    'The database broke off. The request may have been carried out: look before you try again.',
    name,
  );
}
