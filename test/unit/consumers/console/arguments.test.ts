import {
  isExpected,
  parseFilters,
  parseLimit,
  parseSince,
  selectTopics,
  startOf,
} from '../../../../src/consumers/console/arguments';
import { matches } from '../../../../src/consumers/console/filter';
import { viewOf } from '../../../../src/consumers/console/view';
import { catalogue } from '../../../../src/healthcore/catalogue';
import { eventOf, messageOf, rawMessage } from '../../../support/events';

const now = Date.parse('2026-01-05T19:00:00.000Z');

describe('--since', () => {
  test.each([
    ['30s', '2026-01-05T18:59:30.000Z'],
    ['10m', '2026-01-05T18:50:00.000Z'],
    ['2h', '2026-01-05T17:00:00.000Z'],
    ['3d', '2026-01-02T19:00:00.000Z'],
    ['2026-01-05T18:00:00+01:00', '2026-01-05T17:00:00.000Z'],
    ['2026-01-04', '2026-01-04T00:00:00.000Z'],
  ])('%s is understood', (text, expected) => {
    expect(new Date(parseSince(text, now)).toISOString()).toBe(expected);
  });

  test.each(['', '10', 'm', '-5m', '1.5h', 'yesterday', '2026-13-45'])(
    '"%s" is refused with an example',
    (text) => {
      expect(() => parseSince(text, now)).toThrow(/--since ".*" is not a time\. Give 30s/);
    },
  );

  test('does not go with --from-beginning', () => {
    expect(() => startOf({ fromBeginning: true, since: '1h' }, now)).toThrow('exclude each other');
    expect(startOf({ fromBeginning: true }, now)).toBe('beginning');
    expect(startOf({ since: '0s' }, now)).toEqual({ sinceMs: now });
    expect(startOf({}, now)).toBe('now');
  });
});

test.each(['0', '-1', '1.5', 'x', ''])('--limit "%s" is refused', (text) => {
  expect(() => parseLimit(text)).toThrow('whole number');
});

describe('names', () => {
  test('none means all event types', () => {
    expect(selectTopics(catalogue, [], 'p', false).topics).toEqual(
      catalogue.eventTypes.map((type) => `p.${type}`),
    );
  });

  test('are event types, several by a star, or topics, each once', () => {
    expect(
      selectTopics(catalogue, ['patient.*', 'patient.created', 'p.email.send', 'else'], 'p', false).topics,
    ).toEqual(['p.patient.created', 'p.patient.updated', 'p.patient.deleted', 'p.email.send', 'else']);
    expect(() => selectTopics(catalogue, ['doctor.*'], 'p', false)).toThrow(
      '"doctor.*" fits no event type. Event types: patient',
    );
  });

  test('of dead letters choose by the topic that they were in', () => {
    expect(selectTopics(catalogue, [], 'p', true)).toEqual({ topics: ['p.dead_letter_queue'] });
    expect(selectTopics(catalogue, ['email.send'], 'p', true)).toEqual({
      topics: ['p.dead_letter_queue'],
      originalTopics: ['p.email.send'],
    });
  });

  test('of ours are waited for, others are not', () => {
    expect(isExpected(catalogue, 'p.email.send', 'p')).toBe(true);
    expect(isExpected(catalogue, 'p.dead_letter_queue', 'p')).toBe(true);
    expect(isExpected(catalogue, 'p.patient.creatd', 'p')).toBe(false);
  });
});

describe('--filter', () => {
  const patientId = '550e8400-e29b-41d4-a716-446655440000';
  const event = eventOf('appointment.cancelled', {
    appointment_id: patientId,
    patient_id: patientId,
    status: 'CANCELLED',
    previous_status: 'BOOKED',
  });
  const view = viewOf(messageOf(event, 'test'), { catalogue, topicPrefix: 'test' });

  test.each([
    [['data.status=CANCELLED'], true],
    [['data.status=BOOKED'], false],
    [['data.status!=BOOKED'], true],
    [['data.status=CANCELLED', 'data.previous_status=COMPLETED'], false],
    [['metadata.causation_id=null'], true],
    [['data.missing=undefined'], false],
    [['data.missing!=x'], true],
    [['kafka.partition=0'], true],
    [['event_type=appointment.cancelled'], true],
    [['constructor.name=Object'], false],
    [['data.status='], false],
  ])('%j holds: %s', (texts, expected) => {
    expect(matches(view, parseFilters(texts))).toBe(expected);
  });

  test('looks into JSON that is no event, and into nothing else', () => {
    const filters = parseFilters(['data.a=1=2']);
    expect(
      matches(viewOf(rawMessage('t', '{"data":{"a":"1=2"}}'), { catalogue, topicPrefix: 'test' }), filters),
    ).toBe(true);
    expect(matches(viewOf(rawMessage('t', 'data.a=1=2'), { catalogue, topicPrefix: 'test' }), filters)).toBe(
      false,
    );
  });

  test.each(['status', '=x', ''])('"%s" is refused with an example', (text) => {
    expect(() => parseFilters([text])).toThrow('data.status=CANCELLED');
  });
});
