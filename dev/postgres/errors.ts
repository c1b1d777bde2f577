import { UserError } from '../../src/shared/lifecycle';

export type PostgresProblem =
  'already-running' | 'port-taken' | 'no-binaries' | 'wrong-version' | 'bad-directory' | 'start-failed';

/** A start that failed for a reason that a person can mend: the message is one line and says how. */
export class PostgresStartError extends UserError {
  override readonly name = 'PostgresStartError';

  constructor(
    readonly problem: PostgresProblem,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
