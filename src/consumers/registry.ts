import type { CapturedTransaction } from '../outbox/capture/extension';
import type { Handlers } from './handlers';
import { auditLog, auditLogTogether } from './handlers/auditLog';
import type { SharedTransactions } from './processTogether';

/** A consumer that `npm run consumers` can run. */
export interface ConsumerDefinition {
  /** On the command line, in the inbox and, behind the prefix, of the group. */
  readonly name: string;
  /** One line for --help. */
  readonly summary: string;
  readonly handlers: Handlers<CapturedTransaction>;
  readonly sharedTransactions?: SharedTransactions<CapturedTransaction>;
}

/** The shipped consumers. */
export const consumers: readonly ConsumerDefinition[] = [
  {
    name: 'audit-log',
    summary: 'records every event: who changed what when',
    handlers: auditLog,
    sharedTransactions: auditLogTogether,
  },
];

/** The consumers of these names, all for none; or what to tell whoever named one that is none. */
export function findConsumers(
  names: readonly string[],
): { consumers: readonly ConsumerDefinition[] } | { unknown: string } {
  const known = consumers.map(({ name }) => name);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    return { unknown: `There is no consumer "${unknown.join('", "')}". There are: ${known.join(', ')}.` };
  }
  return { consumers: consumers.filter(({ name }) => names.length === 0 || names.includes(name)) };
}
