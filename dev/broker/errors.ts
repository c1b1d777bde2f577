import { UserError } from '../../src/shared/lifecycle';

/** The broker can't start for a reason that a person can mend: the message is one line and says how. */
export class BrokerStartError extends UserError {
  override readonly name = 'BrokerStartError';
}
