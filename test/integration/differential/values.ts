import fc from 'fast-check';
import type { EventContext } from '../../../src/outbox/context';

/*
 * Few of each, so that writes meet: the same row again, a value that is there already, a name that is taken. Some of
 * them are there from the beginning of most sequences (see `population`): writes that look for a row name one of these
 * more often, and writes that make a row one of the others, so that most succeed, and some fail in each possible way.
 */

/** Ids that a sequence gives itself begin like this; any other was made by the client. */
export const givenIds = '00000000-0000-7000-';

const ids = (group: string): string[] =>
  Array.from({ length: 8 }, (_, nr) => `${givenIds}${group}-00000000000${nr}`);

const emails = [
  'a@x.test',
  'b@x.test',
  'c@x.test',
  'd@x.test',
  'e@x.test',
  'f@x.test',
  "o'hara+u&co@x.test",
  'h@xn--bcher-kva.test',
];

/** How many of each there are from the beginning. */
const populated = 4;

export const patientIds = ids('8000');
export const appointmentIds = ids('9000');
export const populatedPatients = patientIds
  .slice(0, populated)
  .map((id, nr) => ({ id, email: emails[nr] ?? '' }));
export const populatedAppointments = appointmentIds.slice(0, populated);

/** One of those that are there, more often than not. */
const known = (all: readonly string[]): fc.Arbitrary<string> =>
  fc.oneof(
    { arbitrary: fc.constantFrom(...all.slice(0, populated)), weight: 12 },
    { arbitrary: fc.constantFrom(...all.slice(populated)), weight: 1 },
  );
/** One of those that are free, more often than not. */
const free = (all: readonly string[]): fc.Arbitrary<string> =>
  fc.oneof(
    { arbitrary: fc.constantFrom(...all.slice(populated)), weight: 12 },
    { arbitrary: fc.constantFrom(...all.slice(0, populated)), weight: 1 },
  );

export const patientId = known(patientIds);
export const appointmentId = known(appointmentIds);
export const newPatientId = free(patientIds);
export const newAppointmentId = free(appointmentIds);
export const email = known(emails);

/** Mostly an address of nobody's; of the others, mostly a free one. */
export const newEmail = fc.oneof(
  { arbitrary: fc.integer({ min: 0, max: 9_999 }).map((nr) => `${nr}@y.test`), weight: 3 },
  { arbitrary: free(emails), weight: 2 },
);

const plainNames = ['Ann', 'ann', 'Bea'];
const oddNames = [
  'Zoë 🩺👩‍⚕️',
  'quote \' " \\ $1 %s',
  "/*signalbox='middleware.patients'*/",
  'null',
  'ﬀ'.repeat(3_000),
  'half \uD800 pair',
];
/** As free text: the database takes none of them for a name. */
const oddTexts = ['', ' ', ' \n \t ', '\u2028\u0001\uFEFF', 'Zoe\u0308'];
export const name = fc.oneof(
  { arbitrary: fc.constantFrom(...plainNames), weight: 3 },
  { arbitrary: fc.constantFrom(...oddNames), weight: 1 },
);
/** Postgres has no NUL in a text: an error that comes from the middle of a statement. */
export const text = fc.oneof(
  { arbitrary: name, weight: 40 },
  { arbitrary: fc.constant('nul \0'), weight: 1 },
);
export const phone = fc.constantFrom(null, '', '1', '+44 20');
export const notes = fc.oneof(fc.constant(null), name, fc.constantFrom(...oddTexts));
export const day = fc.constantFrom(
  null,
  new Date('1970-01-01'),
  new Date('2001-02-28'),
  new Date('1899-12-31'),
);
export const practitioner = fc.constantFrom('Dr A', 'Dr B', 'Dr C', 'Dr D', 'Dr "Ç" \\');
export const status = fc.constantFrom('BOOKED', 'CANCELLED', 'COMPLETED');

const hour = (nr: number): Date => new Date(Date.UTC(2026, 0, 5, nr, 0, 0, nr * 111));

export const instant = fc.nat({ max: 24 }).map(hour);
/** A start and an end after it. */
export const period = fc
  .record({ from: fc.nat({ max: 22 }), hours: fc.integer({ min: 1, max: 2 }) })
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
