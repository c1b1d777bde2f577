import { infrastructureReason, isDatabaseAway } from '../../../src/consumers/databaseErrors';
import { SessionRefusedError } from '../../../src/shared/connections/pinnedClient';

/** An error as Prisma's driver adapter for pg wraps it. */
const wrapped = (code: string, originalCode: string): Error =>
  Object.assign(new Error('Invalid `prisma.x()` invocation'), {
    code,
    meta: { driverAdapterError: { cause: { kind: 'postgres', originalCode } } },
  });
const coded = (message: string, code: string): Error => Object.assign(new Error(message), { code });

describe('what keeps a message from its handler', () => {
  it.each<[string, unknown, string, boolean]>([
    ['a database that is away', wrapped('P2010', '57P01'), 'the database is away', true],
    [
      'a server that takes no writes after a failover',
      wrapped('P2010', '25006'),
      'the database is away',
      true,
    ],
    [
      'a pool of which no connection is free',
      new Error('timeout exceeded when trying to connect'),
      'no database connection was free in time: raise DATABASE_POOL_SIZE',
      true,
    ],
    [
      'a transaction for which no connection is free',
      coded('Transaction API error: Unable to start a transaction in the given time.', 'P2028'),
      'no database connection was free in time: raise DATABASE_POOL_SIZE',
      false,
    ],
    ['a right that is missing', wrapped('P2010', '42501'), 'the database refused (42501)', false],
    ['anything else', new Error('Ann Example'), 'the database could not be used', false],
    ['an answer that did not come', new Error('Query read timeout'), 'the database is away', true],
    ['a session that a pooler refuses', new SessionRefusedError('say UTC'), 'say UTC', true],
  ])('%s is called by its name', (_name, error, reason, away) => {
    expect(infrastructureReason(error)).toBe(reason);
    expect(isDatabaseAway(error)).toBe(away);
  });
});
