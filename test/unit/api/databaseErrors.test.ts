import { judgeDatabaseError } from '../../../src/api/problems/databaseErrors';
import { SessionRefusedError } from '../../../src/shared/connections/pinnedClient';

/** An error as Prisma's driver adapter for pg wraps it. */
function wrapped(code: string, cause: object, modelName = 'Appointment'): Error {
  return Object.assign(new Error('Invalid `prisma.x()` invocation'), {
    name: 'PrismaClientKnownRequestError',
    code,
    meta: { modelName, driverAdapterError: { name: 'DriverAdapterError', cause } },
  });
}

const foreignKey = {
  kind: 'ForeignKeyConstraintViolation',
  constraint: { index: 'appointments_patient_id_fkey' },
};
const raw = (sqlState: string, originalMessage: string) => ({
  originalCode: sqlState,
  originalMessage,
  kind: 'postgres',
  code: sqlState,
});

describe('a refusal of the database', () => {
  it.each([
    [
      'a unique e-mail address',
      wrapped('P2002', {
        originalCode: '23505',
        originalMessage: 'duplicate key value violates unique constraint "patients_email_key"',
        kind: 'UniqueConstraintViolation',
        constraint: { index: 'patients_email_key' },
      }),
      { kind: 'email-taken', field: 'email' },
    ],
    [
      'the exclusion constraint, in a server that speaks German',
      wrapped(
        'P2039',
        raw(
          '23P01',
          'kollidierender Schlüsselwert verletzt Exclusion-Constraint »appointments_practitioner_free«',
        ),
      ),
      { kind: 'practitioner-busy' },
    ],
    [
      'the check of the period',
      wrapped('P2039', raw('23514', 'violates check constraint "appointments_period_check"')),
      { kind: 'period-invalid', field: 'ends_at' },
    ],
    ...(
      [
        ['patients_name_is_clean', { field: 'name' }],
        ['patients_email_is_lower_case_ascii', { field: 'email' }],
        ['appointments_practitioner_is_clean', { field: 'practitioner' }],
        ['patients_years_1_to_9999', {}],
        ['appointments_years_1_to_9999', {}],
      ] as const
    ).map(([name, field]): [string, Error, object] => [
      `the check ${name}`,
      wrapped('P2039', raw('23514', `violates check constraint "${name}"`)),
      { kind: 'value-refused', ...field },
    ]),
    [
      'an appointment without a patient',
      wrapped('P2003', { originalCode: '23503', ...foreignKey }),
      { kind: 'patient-unknown', field: 'patient_id' },
    ],
    [
      'a patient with appointments, on Postgres 17 and older',
      wrapped('P2003', { originalCode: '23503', ...foreignKey }, 'Patient'),
      { kind: 'patient-has-appointments' },
    ],
    [
      'a patient with appointments, on Postgres 18',
      wrapped('P2003', { originalCode: '23001', ...foreignKey, kind: 'RestrictViolation' }, 'Patient'),
      { kind: 'patient-has-appointments' },
    ],
    [
      'a record that is gone',
      Object.assign(new Error('x'), { code: 'P2025', meta: { modelName: 'Patient' } }),
      { kind: 'not-found', message: 'There is no patient with this id.' },
    ],
    ['a value that Postgres cannot store', wrapped('P2039', raw('22021', 'x')), { kind: 'value-refused' }],
    [
      'the exclusion constraint through a raw statement, or at COMMIT',
      Object.assign(new Error('x'), { cause: raw('23P01', '"appointments_practitioner_free"') }),
      { kind: 'practitioner-busy' },
    ],
  ])('by %s becomes an error of the business', (_what, error, expected) => {
    const verdict = judgeDatabaseError(error);
    expect(verdict).toMatchObject({ kind: 'refused', error: expected });
  });

  it.each([
    [
      'a unique constraint that nobody foresaw',
      wrapped('P2002', { originalCode: '23505', originalMessage: '"other"' }),
    ],
    ['a table that is missing', wrapped('P2021', { originalCode: '42P01', kind: 'TableDoesNotExist' })],
    ['an exception of a trigger', wrapped('P2039', raw('P0001', 'no'))],
    ['a bug', new TypeError('x is not a function')],
    ['a system error that is no connection', Object.assign(new Error('no file'), { code: 'ENOENT' })],
    ['nothing', undefined],
    ['a string', 'Connection terminated'],
  ])('by %s is not explained away', (_what, error) => {
    expect(judgeDatabaseError(error)).toBeUndefined();
  });
});

describe('a database that cannot serve', () => {
  it.each([
    ['nobody listens', wrapped('P1001', { kind: 'DatabaseNotReachable' })],
    ['the pool gives no transaction in time', Object.assign(new Error('x'), { code: 'P2028', meta: {} })],
    ['the pool times out', new Error('timeout exceeded when trying to connect')],
    ['the connection breaks', new Error('Connection terminated unexpectedly')],
    ['the socket breaks', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })],
    ['the connection is reset', Object.assign(new Error('x'), { cause: { code: 'ECONNRESET' } })],
    ['it is shut down', wrapped('P2010', raw('57P01', 'terminating connection'))],
    ['it is starting', wrapped('P2010', raw('57P03', 'the database system is starting up'))],
    ['it has no room for a connection', wrapped('P2037', raw('53300', 'too many clients'))],
    ['a statement takes too long', wrapped('P2010', raw('57014', 'canceling statement'))],
    ['a name cannot be resolved', Object.assign(new Error('x'), { code: 'ENOTFOUND' })],
  ])('when %s is told from a failure of ours', (_what, error) => {
    expect(judgeDatabaseError(error)).toEqual({ kind: 'unavailable' });
  });

  it.each([
    ['a deadlock', wrapped('P2034', { originalCode: '40P01', kind: 'TransactionWriteConflict' })],
    ['a raw deadlock', wrapped('P2010', raw('40P01', 'deadlock detected'))],
    ['a serialization failure', wrapped('P2010', raw('40001', 'could not serialize'))],
  ])('because of %s is told too', (_what, error) => {
    expect(judgeDatabaseError(error)).toEqual({ kind: 'contended' });
  });
});

it('comes to an end with an error that is its own cause', () => {
  const error = new Error('x');
  error.cause = error;
  expect(judgeDatabaseError(error)).toBeUndefined();
});

describe('a session that cannot be used', () => {
  it.each([
    [
      'on a server that takes no writes after a failover',
      wrapped('P2010', raw('25006', 'cannot execute INSERT in a read-only transaction')),
    ],
    ['because a pooler has dropped its settings', new SessionRefusedError('the time zone is another')],
  ])('%s is the unavailability of the database', (_name, error) => {
    expect(judgeDatabaseError(error)).toEqual({ kind: 'unavailable' });
  });
});
