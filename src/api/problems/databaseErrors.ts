import { DomainError } from './domainError';
import { type DatabaseFacts, databaseFactsOf } from './databaseFacts';

/** What an error of the database means: a refusal of the business, or that the database cannot serve right now. */
export type DatabaseVerdict =
  | { readonly kind: 'refused'; readonly error: DomainError }
  | { readonly kind: 'unavailable' }
  | { readonly kind: 'contended' };

/**
 * Says what a database error means, or undefined when it is none that can be expected. The one place that knows
 * constraint names, SQLSTATEs and Prisma's codes.
 */
export function judgeDatabaseError(error: unknown): DatabaseVerdict | undefined {
  const facts = databaseFactsOf(error);
  if (isUnavailable(facts)) return { kind: 'unavailable' };
  if (facts.prismaCode === 'P2034' || /^40(001|P01)$/.test(facts.sqlState ?? '')) {
    return { kind: 'contended' };
  }
  const refusal = refusalOf(facts);
  return refusal && { kind: 'refused', error: refusal };
}

const notStorable = 'The database cannot store one of the values.';

/** By the name of the constraint, which Postgres quotes in every language. */
const constraints: Readonly<Record<string, (facts: DatabaseFacts) => DomainError>> = {
  patients_email_key: () =>
    new DomainError('email-taken', 'Another patient has this e-mail address.', 'email'),
  appointments_practitioner_free: () =>
    new DomainError('practitioner-busy', 'The practitioner has another appointment in this period.'),
  appointments_period_check: () =>
    new DomainError('period-invalid', 'An appointment must end after it starts.', 'ends_at'),
  patients_name_is_clean: () => new DomainError('value-refused', notStorable, 'name'),
  patients_email_is_lower_case_ascii: () => new DomainError('value-refused', notStorable, 'email'),
  appointments_practitioner_is_clean: () => new DomainError('value-refused', notStorable, 'practitioner'),
  patients_years_1_to_9999: () => new DomainError('value-refused', notStorable),
  appointments_years_1_to_9999: () => new DomainError('value-refused', notStorable),
  // The same constraint fails when an appointment names no patient and when a patient with appointments is deleted
  // (SQLSTATE 23503 for both until Postgres 17; 18 gives 23001 for the deletion).
  appointments_patient_id_fkey: ({ sqlState, model }) =>
    sqlState === '23001' || model === 'Patient'
      ? new DomainError(
          'patient-has-appointments',
          'Delete the appointments of this patient first; they are part of the record.',
        )
      : new DomainError('patient-unknown', 'There is no patient with this id.', 'patient_id'),
};

function refusalOf(facts: DatabaseFacts): DomainError | undefined {
  if (facts.prismaCode === 'P2025') {
    return new DomainError(
      'not-found',
      `There is no ${(facts.model ?? 'record').toLowerCase()} with this id.`,
    );
  }
  if (facts.sqlState?.startsWith('23')) {
    const found = Object.entries(constraints).find(([name]) =>
      facts.messages.some((message) => message.includes(name)),
    );
    return found?.[1](facts);
  }
  // Data exceptions (22xxx): validation should have caught the value; the caller is told, not blamed on us.
  if (facts.sqlState?.startsWith('22')) {
    return new DomainError('value-refused', notStorable);
  }
  return undefined;
}

const unavailablePrismaCodes = /^P(1\d{3}|2024|2028|2037)$/;
/**
 * Connection (08), resources (53), administrator and timeout (57), system (58), lock and idle timeouts, no such
 * database, and after a failover a server that takes no writes (25006).
 */
const unavailableSqlStates = /^(08...|53...|57P0.|57014|58...|55P03|25P0[234]|25006|3D000|28...)$/;
const unavailableCauses = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'DatabaseNotReachable',
  'ConnectionClosed',
  'SocketTimeout',
  'TooManyConnections',
  'TlsConnectionError',
  // A pooler has dropped settings of the session (shared/connections/pinnedClient.ts).
  'ERR_DATABASE_SESSION',
]);
/** Errors that pg and pg-pool throw without any code. */
const unavailableMessages =
  /^(Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client (was closed|has encountered a connection error)|Cannot use a pool after calling end)/;

function isUnavailable({ prismaCode, sqlState, causes, messages }: DatabaseFacts): boolean {
  return (
    unavailablePrismaCodes.test(prismaCode ?? '') ||
    unavailableSqlStates.test(sqlState ?? '') ||
    causes.some((cause) => unavailableCauses.has(cause)) ||
    messages.some((message) => unavailableMessages.test(message))
  );
}
