import fc from 'fast-check';
import type { EventContext } from '../../../src/outbox/context';

/* Few of each, so that writes meet: the same row again, a value that is there already, a name that is taken. */

/** Ids that a sequence gives itself begin like this; any other was made by the client. */
export const givenIds = '00000000-0000-7000-';

const ids = (group: string): string[] =>
  Array.from({ length: 4 }, (_, nr) => `${givenIds}${group}-00000000000${nr}`);

export const patientIds = ids('8000');
export const appointmentIds = ids('9000');
export const patientId = fc.constantFrom(...patientIds);
export const appointmentId = fc.constantFrom(...appointmentIds);

const plainNames = ['Ann', 'ann', 'Bea'];
const oddNames = [
  '',
  ' ',
  'Zoë 🩺👩‍⚕️',
  'quote \' " \\ \n \t $1 %s',
  '\u2028\u0001\uFEFF',
  "/*signalbox='middleware.patients'*/",
  'null',
  'ﬀ'.repeat(3_000),
  'half \uD800 pair',
];
export const name = fc.oneof(
  { arbitrary: fc.constantFrom(...plainNames), weight: 3 },
  { arbitrary: fc.constantFrom(...oddNames), weight: 1 },
);
/** Postgres has no NUL in a text: an error that comes from the middle of a statement. */
export const text = fc.oneof(
  { arbitrary: name, weight: 40 },
  { arbitrary: fc.constant('nul \0'), weight: 1 },
);
export const email = fc.constantFrom('a@x.test', 'b@x.test', 'c@x.test', 'd@x.test', "o'hara+ü@x.test", '');
export const phone = fc.constantFrom(null, '', '1', '+44 20');
export const notes = fc.oneof(fc.constant(null), name);
export const day = fc.constantFrom(
  null,
  new Date('1970-01-01'),
  new Date('2001-02-28'),
  new Date('1899-12-31'),
);
export const practitioner = fc.constantFrom('Dr A', 'Dr B', 'Dr "Ç" \\');
export const status = fc.constantFrom('BOOKED', 'CANCELLED', 'COMPLETED');

const hour = (nr: number): Date => new Date(Date.UTC(2026, 0, 5, nr, 0, 0, nr * 111));

export const instant = fc.nat({ max: 8 }).map(hour);
/** A start and an end after it. */
export const period = fc
  .record({ from: fc.nat({ max: 6 }), hours: fc.integer({ min: 1, max: 2 }) })
  .map(({ from, hours }) => ({ startsAt: hour(from), endsAt: hour(from + hours) }));

const contexts: EventContext[] = [
  {},
  { correlationId: 'request-1', actor: 'user:42' },
  {
    correlationId: 'it\'s "odd" \\ */ 100% Ünï 🩺',
    causationId: '0',
    actor: 'a,b=c',
    traceparent: '00-1-2-01',
  },
];
export const context = fc.constantFrom(...contexts);

export const letter = fc.record({
  to: fc.constantFrom('a@example.com', 'b@example.com'),
  subject: fc.constantFrom('Hello', "🩺 ' \\"),
  text: fc.constantFrom('', 'line\nline'),
});
