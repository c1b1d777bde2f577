import type { DomainError, DomainErrorKind } from './domainError';
import { type Problem, problemType } from './problem';

/** The one place that knows which status a refusal of the business has. */
const table: Readonly<Record<DomainErrorKind, { status: number; title: string }>> = {
  'not-found': { status: 404, title: 'Not found' },
  'email-taken': { status: 409, title: 'The e-mail address is taken' },
  'patient-has-appointments': { status: 409, title: 'The patient has appointments' },
  'patient-unknown': { status: 422, title: 'The patient is unknown' },
  'practitioner-busy': { status: 409, title: 'The practitioner is busy' },
  'period-invalid': { status: 422, title: 'The period is not valid' },
  'field-immutable': { status: 422, title: 'A field cannot be changed' },
  'transition-refused': { status: 409, title: 'The status does not allow this' },
  'not-booked': { status: 409, title: 'The appointment is not booked' },
  'value-refused': { status: 422, title: 'A value cannot be stored' },
};

/** The problem document of a refusal. */
export function problemOfDomainError(error: DomainError): Problem {
  const { kind, field, message } = error;
  return {
    type: problemType(kind),
    ...table[kind],
    detail: message,
    ...(field ? { errors: [{ field, pointer: `#/${field}`, message }] } : {}),
  };
}
