import fc from 'fast-check';
import { escapeControls } from '../../../../src/consumers/console/escapeControls';
import { format, type Format } from '../../../../src/consumers/console/formats';
import { viewOf } from '../../../../src/consumers/console/view';
import type { ReceivedMessage } from '../../../../src/kafka/messages/readMessage';
import { eventOf, messageOf, rawMessage } from '../../../support/events';
import { catalogue } from '../../../../src/healthcore/catalogue';

const patient = '550e8400-e29b-41d4-a716-446655440000';
const appointment = '6ba7b810-9dad-41d1-80b4-00c04fd430c8';
const plain = { headers: false, colour: false, deadLetters: false, terminal: false };

function shown(message: ReceivedMessage, how: Format, options: Partial<typeof plain> = {}): string {
  const all = { ...plain, ...options };
  return format(viewOf(message, { catalogue, topicPrefix: 'test', deadLetters: all.deadLetters }), how, all);
}

const cancelled = eventOf(
  'appointment.cancelled',
  { appointment_id: appointment, patient_id: patient, status: 'CANCELLED', previous_status: 'BOOKED' },
  { aggregate_id: appointment },
);

describe('pretty', () => {
  test('shows what became of a field in one line', () => {
    expect(shown(messageOf(cancelled, 'test'), 'pretty')).toBe(
      `2026-01-05T19:00:00.000Z appointment.cancelled   ${appointment} status BOOKED → CANCELLED\n`,
    );
  });

  test('names changed fields whose values are in no event', () => {
    const data = {
      patient_id: patient,
      name: 'Ann',
      email: 'a@b.de',
      phone: null,
      changed_fields: ['name', 'clinical_notes'],
    };
    const line = shown(
      messageOf(eventOf('patient.updated', data, { aggregate_id: patient }), 'test'),
      'pretty',
    );
    expect(line).toBe(
      `2026-01-05T19:00:00.000Z patient.updated         ${patient} name=Ann  clinical_notes\n`,
    );
  });

  test('shows what a new row holds, shortened', () => {
    const data = { patient_id: patient, name: 'A'.repeat(99), email: 'a@b.de', phone: null };
    const line = shown(
      messageOf(eventOf('patient.created', data, { aggregate_id: patient }), 'test'),
      'pretty',
    );
    expect(line).toContain(`${patient} name=${'A'.repeat(60)}…  email=a@b.de  phone=null\n`);
  });

  test('is coloured if asked for, and only then', () => {
    expect(shown(messageOf(cancelled, 'test'), 'pretty', { colour: true })).toContain(
      '\u001b[31mappointment.cancelled',
    );
    expect(shown(messageOf(cancelled, 'test'), 'pretty')).not.toContain('\u001b');
  });

  test('shows what is no event as it is, with the reason', () => {
    expect(shown(rawMessage('test.patient.created', 'oops', { key: Buffer.from('k') }), 'pretty')).toBe(
      '2026-01-05T19:00:00.000Z test.patient.created    k not an event (the value is not JSON): oops\n',
    );
    expect(shown(rawMessage('test.patient.created', null), 'pretty')).toContain('no value');
  });

  test('shows headers below the line', () => {
    const message = rawMessage('test.patient.created', 'x', {
      headers: { a: Buffer.from('1'), b: ['2', '3'] },
    });
    expect(shown(message, 'pretty', { headers: true }).split('\n').slice(1)).toEqual([
      '    a: 1',
      '    b: 2,3',
      '',
    ]);
  });

  test('of a dead letter shows who gave it up and why', () => {
    const message = {
      ...messageOf(cancelled, 'test'),
      topic: 'test.dead_letter_queue',
      headers: {
        'dlq.original.topic': 'test.appointment.cancelled',
        'dlq.original.partition': '1',
        'dlq.original.offset': '42',
        'dlq.consumer.group': 'healthcore.audit-log',
        'dlq.attempts': '6',
        'dlq.error.class': 'RangeError',
        'dlq.error.message': 'the handler failed',
        'dlq.failed.at': '2026-01-05T20:00:00.000Z',
      },
    };
    expect(shown(message, 'pretty', { deadLetters: true })).toBe(
      `2026-01-05T20:00:00.000Z appointment.cancelled   ${appointment} healthcore.audit-log gave up after 6: ` +
        'RangeError: the handler failed (test.appointment.cancelled/1 @ 42)\n',
    );
  });
});

describe('json', () => {
  test('is the event as it is on the wire, with its place under "kafka"', () => {
    const line = shown(messageOf(cancelled, 'test', '7'), 'json');
    expect(JSON.parse(line)).toEqual({
      ...cancelled,
      kafka: {
        topic: 'test.appointment.cancelled',
        partition: 0,
        offset: '7',
        timestamp: '2026-01-05T19:00:00.000Z',
        key: appointment,
      },
    });
    expect(line.indexOf('\n')).toBe(line.length - 1);
  });

  test('of what is no event holds the text and the reason', () => {
    expect(JSON.parse(shown(rawMessage('test.patient.created', '{"a":'), 'json'))).toMatchObject({
      problem: 'the value is not JSON',
      value: '{"a":',
    });
    expect(JSON.parse(shown(rawMessage('test.patient.created', '[1]'), 'json'))).toMatchObject({
      value: '[1]',
    });
  });

  test('holds headers if asked for', () => {
    const message = rawMessage('t', 'x', { headers: { a: Buffer.from('1'), b: ['2', Buffer.from('3')] } });
    expect(JSON.parse(shown(message, 'json', { headers: true }))).toMatchObject({
      kafka: { headers: { a: '1', b: ['2', '3'] } },
    });
  });
});

test('raw is the value, unchanged in a pipe and harmless on a terminal', () => {
  const message = rawMessage('t', 'a\u001b[2Jb');
  expect(shown(message, 'raw')).toBe('a\u001b[2Jb\n');
  expect(shown(message, 'raw', { terminal: true })).toBe('a\\u001b[2Jb\n');
});

test('nothing in a message reaches a terminal as a control character, in any format', () => {
  const tricky = fc.string({
    unit: fc.constantFrom('\u001b', '\u0007', '\u009b', '\n', '\r', '\u202e', '\u2028', 'a', '"', '\\'),
  });
  fc.assert(
    fc.property(
      tricky,
      tricky,
      tricky,
      fc.constantFrom<Format>('pretty', 'json', 'raw'),
      (name, key, header, how) => {
        const data = { patient_id: patient, name, email: name, phone: name };
        const event = messageOf(eventOf('patient.created', data), 'test');
        const broken = rawMessage(`t${key}`, name);
        for (const message of [event, broken]) {
          const hostile = { ...message, key: Buffer.from(key), headers: { [header]: Buffer.from(header) } };
          const text = shown(hostile, how, { headers: true, terminal: true });
          const lines = text.slice(0, -1).split('\n');
          expect(lines.length).toBe(how === 'pretty' ? 2 : 1);
          for (const line of lines) expect(escapeControls(line)).toBe(line);
        }
      },
    ),
  );
});
