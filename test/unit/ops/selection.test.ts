import { isSelected, type FilterOptions, selectionOf } from '../../../src/ops/dlq/selection';
import { opsKafkaVariables } from '../../../src/ops/kafka';
import type { ReadDeadLetter } from '../../../src/kafka/deadLetters/readDeadLetter';
import { loadConfig } from '../../../src/shared/config/load';

const config = loadConfig(opsKafkaVariables, { CONSUMER_GROUP_PREFIX: 'healthcore' });
const letter: ReadDeadLetter = {
  topic: 'healthcore.dead_letter_queue',
  partition: 2,
  offset: '42',
  writtenAt: new Date('2026-01-05T19:00:00Z'),
  key: null,
  group: 'healthcore.audit-log',
  eventId: '550e8400-e29b-41d4-a716-446655440000',
  eventType: 'patient.created',
  errorClass: 'TransientError',
};
const fits = (names: string[], options: FilterOptions = {}): boolean =>
  isSelected(letter, selectionOf(names, options, config));

describe('the selection of dead letters', () => {
  it.each([
    [[], {}],
    [['2:42'], {}],
    [['0:1', '550E8400-e29b-41d4-a716-446655440000'], {}],
    [[], { group: 'audit-log' }],
    [[], { group: 'healthcore.audit-log', type: 'patient.created', error: 'TransientError' }],
    [['2:42'], { since: '2026-01-05T19:00:00Z' }],
  ])('takes the letter with %j %j', (names, options) => {
    expect(fits(names, options)).toBe(true);
  });

  it.each([
    [['2:43'], {}],
    [['1:42'], {}],
    [[], { group: 'audit' }],
    [[], { type: 'patient.updated' }],
    [[], { error: 'PermanentError' }],
    [['2:42'], { since: '2026-01-05T19:00:01Z' }],
    [['2:43'], { group: 'audit-log' }],
  ])('leaves the letter with %j %j', (names, options) => {
    expect(fits(names, options)).toBe(false);
  });

  it('refuses a name that is neither a place nor an id, and a time that is none', () => {
    expect(() => fits(['all'])).toThrow('"all" names no dead letter');
    expect(() => fits([], { since: 'noon' })).toThrow('--since "noon" is not a time');
  });
});
