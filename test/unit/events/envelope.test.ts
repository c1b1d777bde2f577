import { catalogue } from '../../../src/healthcore/catalogue';
import { parseEnvelope } from '../../../src/events/envelope';

const cancelled = {
  event_id: '550e8400-e29b-41d4-a716-446655440000',
  event_type: 'appointment.cancelled',
  timestamp: '2026-01-05T19:00:00.000Z',
  data: {
    appointment_id: '0197a1b2-0000-7000-8000-000000000001',
    patient_id: '0197a1b2-0000-7000-8000-000000000002',
    status: 'CANCELLED',
    previous_status: 'BOOKED',
  },
  metadata: {
    source: 'healthcore-api',
    version: '1.0',
    aggregate_type: 'appointment',
    aggregate_id: '0197a1b2-0000-7000-8000-000000000001',
    sequence: '1042',
    correlation_id: null,
    causation_id: null,
    actor: null,
    traceparent: null,
  },
};

const parse = (value: unknown) => parseEnvelope(catalogue, JSON.stringify(value));

describe('parseEnvelope', () => {
  it('reads an event of the documented form', () => {
    expect(parse(cancelled)).toEqual({ ok: true, event: cancelled });
  });

  it('lets through what a newer producer has added', () => {
    const newer = {
      ...cancelled,
      data: { ...cancelled.data, room: '12' },
      metadata: { ...cancelled.metadata, shard: 'a' },
    };
    expect(parse(newer)).toEqual({ ok: true, event: newer });
  });

  it.each([
    ['text that is not JSON', '{"event_id": ', 'the value is not JSON'],
    ['JSON that is no object', '[]', 'value: invalid_type'],
    ['an empty value', '', 'the value is not JSON'],
  ])('refuses %s', (_what, value, reason) => {
    expect(parseEnvelope(catalogue, value)).toEqual({ ok: false, reason });
  });

  it('refuses an event type that the catalogue does not have', () => {
    expect(parse({ ...cancelled, event_type: 'appointment.exploded' })).toEqual({
      ok: false,
      reason: 'event_type: not in the catalogue',
    });
  });

  it('names every wrong path and no value', () => {
    const outcome = parse({
      ...cancelled,
      data: { ...cancelled.data, status: 'MARKER-7', patient_id: 'MARKER-8' },
    });
    expect(outcome).toEqual({ ok: false, reason: expect.stringContaining('data.status') });
    expect(JSON.stringify(outcome)).toContain('data.patient_id');
    expect(JSON.stringify(outcome)).not.toContain('MARKER');
  });

  it('refuses a sequence that is not made of digits', () => {
    const outcome = parse({ ...cancelled, metadata: { ...cancelled.metadata, sequence: '1e3' } });
    expect(outcome).toEqual({ ok: false, reason: 'metadata.sequence: invalid_format' });
  });
});
