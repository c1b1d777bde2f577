import fc from 'fast-check';
import { PermanentError, TransientError } from '../../../src/consumers/errors';
import { classifyFailure, classOf, decide, type Failure } from '../../../src/consumers/failurePolicy';

const failure = (kind: Failure['kind']): Failure => ({ kind, errorClass: 'Error', reason: 'no' });
const policy = { retryLimit: 5, retryMaxMs: 10_000 };
const largest = (): number => 0.999_999;

describe('what happens to a message that failed', () => {
  test.each(['invalid', 'permanent'] as const)(
    '%s: it becomes a dead letter at the first attempt',
    (kind) => {
      expect(decide(failure(kind), { attempts: 1, outages: 0 }, policy)).toEqual({ action: 'dead-letter' });
    },
  );

  test('a failed handler is given as many retries as the limit says, with growing pauses', () => {
    const pauses = [1, 2, 3, 4, 5, 6].map((attempts) =>
      decide(failure('failed'), { attempts, outages: 0 }, policy, largest),
    );
    expect(pauses).toEqual([
      { action: 'retry', afterMs: 100 },
      { action: 'retry', afterMs: 200 },
      { action: 'retry', afterMs: 400 },
      { action: 'retry', afterMs: 800 },
      { action: 'retry', afterMs: 1_600 },
      { action: 'dead-letter' },
    ]);
  });

  test('no retries at all is a limit, too', () => {
    const none = { ...policy, retryLimit: 0 };
    expect(decide(failure('failed'), { attempts: 1, outages: 0 }, none)).toEqual({ action: 'dead-letter' });
  });

  test('our own trouble never makes a dead letter, and never waits longer than the cap', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.nat({ max: 999 }), (attempts, outages, part) => {
        const decision = decide(failure('own'), { attempts, outages }, policy, () => part / 1_000);
        expect(decision.action).toBe('retry');
        if (decision.action === 'retry') expect(decision.afterMs).toBeLessThanOrEqual(policy.retryMaxMs);
      }),
    );
  });
});

describe('what is said of a failure', () => {
  test('an unknown error shows its class and code, never its message', () => {
    const error = Object.assign(new RangeError('Ann Example is too old'), { code: 'ERANGE' });
    expect(classifyFailure(error, {})).toEqual({
      kind: 'failed',
      errorClass: 'RangeError',
      reason: 'the handler failed (ERANGE)',
    });
  });

  test('a code that is no code is left out', () => {
    const error = Object.assign(new Error('x'), { code: 'Ann Example' });
    expect(classifyFailure(error, {}).reason).toBe('the handler failed');
  });

  test('something thrown that is no error is no reason to stumble', () => {
    expect(classifyFailure('Ann Example', {})).toEqual({
      kind: 'failed',
      errorClass: 'NotAnError',
      reason: 'the handler failed',
    });
    expect(classifyFailure(null, {}).kind).toBe('failed');
  });

  test('a class name that holds anything else is not shown', () => {
    expect(classOf(Object.assign(new Error('x'), { name: 'Ann Example <ann@example.com>' }))).toBe('Error');
  });

  test('values of the event are hidden in a reason, wherever they stand in it', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 3 }), fc.string(), fc.string(), (value, before, after) => {
        fc.pre(!'[hidden]'.includes(value));
        const { reason } = classifyFailure(new PermanentError(before + value + after), {
          nested: [{ value }],
        });
        expect(reason.replaceAll('[hidden]', '')).not.toContain(value);
      }),
    );
  });

  test('ids may be shown: they say nothing about a person', () => {
    const id = '550e8400-e29b-41d4-a716-446655440000';
    expect(classifyFailure(new TransientError(`patient ${id} is busy`), { id })).toEqual({
      kind: 'failed',
      errorClass: 'TransientError',
      reason: `patient ${id} is busy`,
    });
  });

  test('a reason is one short line, fit for a header', () => {
    const { reason } = classifyFailure(new PermanentError(`a\r\nb\u0000c${'x'.repeat(9_999)}`), {});
    expect(reason).toMatch(/^a b cx+$/);
    expect(reason.length).toBe(500);
  });

  test.each([
    ['a refused connection under a model operation', { code: 'P1001' }],
    ['a killed connection in a raw statement', adapterError('postgres', '57P01')],
    ['a refused connection in a raw statement', adapterError('DatabaseNotReachable')],
    ['a full disk', adapterError('postgres', '53100')],
    ['a connection out of pg', { message: 'Client has encountered a connection error and is not queryable' }],
  ])('%s is our own trouble', (_name, shape) => {
    expect(classifyFailure(Object.assign(new Error('x'), shape), {}).kind).toBe('own');
  });

  test.each([
    ['a mail server that refuses', { code: 'ECONNREFUSED' }],
    ['a unique violation', { code: 'P2002' }],
    ['a serialization failure', adapterError('TransactionWriteConflict', '40001')],
  ])('%s counts as an attempt', (_name, shape) => {
    expect(classifyFailure(Object.assign(new Error('x'), shape), {}).kind).toBe('failed');
  });
});

function adapterError(kind: string, originalCode?: string): object {
  return { code: 'P2010', meta: { driverAdapterError: { cause: { kind, originalCode } } } };
}
