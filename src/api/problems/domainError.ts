/**
 * What the business refuses, in its own words. It knows nothing of HTTP: `problems/domainProblems.ts` says which
 * status each kind becomes. Messages are shown to callers, so they never hold a patient's values.
 */
export type DomainErrorKind =
  | 'not-found'
  | 'email-taken'
  | 'patient-has-appointments'
  | 'patient-unknown'
  | 'practitioner-busy'
  | 'period-invalid'
  | 'field-immutable'
  | 'transition-refused'
  | 'not-booked'
  | 'value-refused';

export class DomainError extends Error {
  override readonly name = 'DomainError';

  /** @param field the field to blame, by its name in JSON, when it is one field's fault */
  constructor(
    readonly kind: DomainErrorKind,
    message: string,
    readonly field?: string,
  ) {
    super(message);
  }
}
