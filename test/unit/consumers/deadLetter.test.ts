import { deadLetterMessage } from '../../../src/kafka/deadLetters/deadLetter';
import { rawMessage } from '../../support/events';

const letter = {
  group: 'healthcore.audit-log',
  attempts: 6,
  errorClass: 'Error',
  reason: 'the handler failed',
  failedAt: new Date('2026-01-05T19:00:00.000Z'),
};
const original = rawMessage('test.patient.created', 'value', {
  partition: 2,
  offset: '9007199254740993',
  key: Buffer.from('key'),
  headers: { event_id: Buffer.from('1') },
});

test('a dead letter keeps key, value and headers and says where it comes from and why', () => {
  expect(deadLetterMessage({ ...letter, message: original })).toEqual({
    key: Buffer.from('key'),
    value: Buffer.from('value'),
    headers: {
      event_id: Buffer.from('1'),
      'dlq.original.topic': 'test.patient.created',
      'dlq.original.partition': '2',
      'dlq.original.offset': '9007199254740993',
      'dlq.original.timestamp': '1767639600000',
      'dlq.consumer.group': 'healthcore.audit-log',
      'dlq.attempts': '6',
      'dlq.error.class': 'Error',
      'dlq.error.message': 'the handler failed',
      'dlq.failed.at': '2026-01-05T19:00:00.000Z',
    },
  });
});

test('of a dead letter that was replayed and failed again only the last reason is told', () => {
  const headers = { 'dlq.error.class': 'Old', 'dlq.omitted': 'value', kept: ['a', 'b'] };
  const { headers: written } = deadLetterMessage({ ...letter, message: { ...original, headers } });
  expect(written).toMatchObject({ 'dlq.error.class': 'Error', kept: ['a', 'b'] });
  expect(written).not.toHaveProperty('dlq.omitted');
});

test('a header without a value, which the client cannot write, is written empty', () => {
  const headers = { nothing: null as unknown as Buffer };
  const { headers: written } = deadLetterMessage({ ...letter, message: { ...original, headers } });
  expect(written).toMatchObject({ nothing: Buffer.alloc(0) });
});

test('what is left out for its size is named, with the size that it had', () => {
  expect(deadLetterMessage({ ...letter, message: original }, 'value')).toMatchObject({
    key: Buffer.from('key'),
    value: null,
    headers: { event_id: Buffer.from('1'), 'dlq.omitted': 'value', 'dlq.original.size': '5' },
  });
  const bare = deadLetterMessage({ ...letter, message: original }, 'key,value,headers');
  expect(bare).toMatchObject({ key: null, value: null, headers: { 'dlq.omitted': 'key,value,headers' } });
  expect(bare.headers).not.toHaveProperty('event_id');
});
