import {
  KafkaJSConnectionError,
  KafkaJSNumberOfRetriesExceeded,
  KafkaJSProtocolError,
  KafkaJSSASLAuthenticationError,
} from 'kafkajs';
import { errorTypes, fatalType, isRebalance } from '../../../src/kafka/errorTypes';

function protocolError(type: string): KafkaJSProtocolError {
  return Object.assign(new KafkaJSProtocolError('refused'), { type });
}

function afterRetries(error: Error): Error {
  const wrapped = new KafkaJSNumberOfRetriesExceeded(error, { retryCount: 5, retryTime: 100 });
  return Object.assign(wrapped, { cause: error });
}

test('what an error is shows through the errors that wrap it', () => {
  expect(errorTypes(afterRetries(protocolError('MESSAGE_TOO_LARGE')))).toContain('MESSAGE_TOO_LARGE');
  expect(errorTypes('no error')).toEqual([]);
});

test('an error that is its own cause is no endless loop', () => {
  const error = new Error('x');
  error.cause = error;
  expect(errorTypes(error).length).toBeLessThan(20);
});

test.each(['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID'])(
  '%s is a rebalance',
  (type) => {
    expect(isRebalance(protocolError(type))).toBe(true);
    expect(fatalType(protocolError(type))).toBeUndefined();
  },
);

test('wrong credentials and missing permissions are fatal, an absent broker is not', () => {
  // Its declared type knows no arguments, its code wants one.
  const refused = Reflect.construct(KafkaJSSASLAuthenticationError, ['no']) as Error;
  expect(fatalType(afterRetries(refused))).toBe('KafkaJSSASLAuthenticationError');
  expect(fatalType(protocolError('GROUP_AUTHORIZATION_FAILED'))).toBe('GROUP_AUTHORIZATION_FAILED');
  expect(fatalType(afterRetries(new KafkaJSConnectionError('gone')))).toBeUndefined();
  expect(isRebalance(new KafkaJSConnectionError('gone'))).toBe(false);
});
