import { checkConfigs, describeTopicConfigs, maxMessageBytes } from '../../../dev/broker/storage/topicConfig';
import { checkTopicName, collisionKey } from '../../../dev/broker/storage/topicName';

it('accepts every default as a value', () => {
  const defaults = Object.fromEntries(describeTopicConfigs({}).map(({ name, preset }) => [name, preset]));
  expect(checkConfigs(defaults)).toEqual(defaults);
});

it.each([
  ['toString', '1'],
  ['retention.ms', ''],
  ['retention.ms', '1.5'],
  ['retention.ms', null],
  ['cleanup.policy', 'delete,shred'],
  ['max.message.bytes', '-1'],
  ['message.timestamp.type', 'LogAppendTime'],
])('refuses %s=%j', (name, value) => {
  expect(() => checkConfigs({ [name]: value })).toThrow(name);
});

it('knows the largest message', () => {
  expect(maxMessageBytes({})).toBe(1_048_588);
  expect(maxMessageBytes({ 'max.message.bytes': '10' })).toBe(10);
});

it('takes legal topic names only', () => {
  for (const name of ['a', 'healthcore.patient.created', 'A-b_c.1', '...']) checkTopicName(name);
  for (const name of ['', '.', '..', 'a b', 'a/b', 'a\n'])
    expect(() => checkTopicName(name)).toThrow('not legal');
  expect(collisionKey('a.b_c')).toBe(collisionKey('a_b.c'));
});
