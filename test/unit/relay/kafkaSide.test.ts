import { createRequire } from 'node:module';
import { classifyError } from '../../../src/kafka/publish/classifyError';
import { calmIdleTimers } from '../../../src/kafka/kafkajs/idleTimers';
import { encodeEvent, type OutgoingEvent } from '../../../src/kafka/messages/message';
import { shareOf } from '../../../src/relay/lanes';

const protocolError = (type: string): Error =>
  Object.assign(new Error(type), { name: 'KafkaJSProtocolError', type });
const wrapped = (cause: Error): Error =>
  Object.assign(new Error('retries exceeded', { cause }), { name: 'KafkaJSNumberOfRetriesExceeded' });

test.each([
  ['MESSAGE_TOO_LARGE', 'poison'],
  ['RECORD_LIST_TOO_LARGE', 'poison'],
  ['INVALID_RECORD', 'poison'],
  ['TOPIC_AUTHORIZATION_FAILED', 'topic'],
  ['INVALID_TOPIC_EXCEPTION', 'topic'],
  ['LEADER_NOT_AVAILABLE', 'topic'],
  ['CLUSTER_AUTHORIZATION_FAILED', 'fatal'],
  ['SASL_AUTHENTICATION_FAILED', 'fatal'],
  ['INVALID_REPLICATION_FACTOR', 'fatal'],
  ['NOT_LEADER_FOR_PARTITION', 'topic'],
  ['OUT_OF_ORDER_SEQUENCE_NUMBER', 'retryable'],
  ['UNKNOWN_PRODUCER_ID', 'retryable'],
  ['UNKNOWN_TOPIC_OR_PARTITION', 'topic'],
  ['NOT_ENOUGH_REPLICAS', 'topic'],
])('%s is %s, however deep it is wrapped', (type, kind) => {
  expect(classifyError(protocolError(type))).toMatchObject({ kind, type });
  expect(classifyError(wrapped(wrapped(protocolError(type))))).toMatchObject({ kind, type });
});

test('whatever is not known may pass', () => {
  expect(classifyError(new Error('socket hang up'))).toEqual({ kind: 'retryable', type: 'Error' });
  expect(classifyError('odd')).toEqual({ kind: 'retryable', type: 'unknown' });
});

test('the first of several errors of the admin client counts', () => {
  const error = Object.assign(new Error('several'), {
    errors: [protocolError('CLUSTER_AUTHORIZATION_FAILED')],
  });
  expect(classifyError(error)).toMatchObject({ kind: 'fatal' });
});

const event: OutgoingEvent = {
  eventId: '550e8400-e29b-41d4-a716-446655440000',
  eventType: 'patient.deleted',
  eventVersion: '1.0',
  aggregateType: 'patient',
  aggregateId: 'p-1 "ü"',
  occurredAt: new Date(Date.UTC(2026, 0, 5, 19)),
  source: 'test\\"',
  correlationId: null,
  causationId: null,
  actor: 'x\u2028',
  traceparent: null,
  position: '9007199254740993',
  data: '{"patient_id": 1e2, "same": 12345678901234567890}',
};

test('the envelope is JSON around the very text of the data', () => {
  const { value, key, topic, headers } = encodeEvent(event, 'healthcore');
  const text = value.toString();
  expect(text).toContain(`"data":${event.data},`);
  expect(JSON.parse(text)).toMatchObject({
    event_id: event.eventId,
    timestamp: '2026-01-05T19:00:00.000Z',
    metadata: {
      source: 'test\\"',
      sequence: '9007199254740993',
      aggregate_id: 'p-1 "ü"',
      actor: 'x\u2028',
      correlation_id: null,
    },
  });
  expect({ key, topic }).toEqual({ key: 'p-1 "ü"', topic: 'healthcore.patient.deleted' });
  expect(Object.keys(headers)).toEqual([
    'event_id',
    'event_type',
    'event_version',
    'aggregate_type',
    'aggregate_id',
    'content-type',
  ]);
});

test('shares differ by one lane at most and leave none out', () => {
  for (let relays = 1; relays <= 20; relays += 1) {
    const ids = Array.from({ length: relays }, (_, index) => `r${index}`);
    const shares = ids.map((id) => shareOf(id, ids, 16));
    expect(shares.reduce((sum, share) => sum + share, 0)).toBe(16);
    expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
  }
  expect(shareOf('unknown', ['a'], 16)).toBe(0);
});

test('an idle kafkajs connection starts no timers, one with waiting requests still does', () => {
  calmIdleTimers();
  const require = createRequire(__filename);
  const RequestQueue = require('kafkajs/src/network/requestQueue') as new (options: object) => {
    pending: unknown[];
    throttleCheckTimeoutId: NodeJS.Timeout | null;
    scheduleCheckPendingRequests(): void;
    destroy(): void;
  };
  const queue = new RequestQueue({
    maxInFlightRequests: 1,
    requestTimeout: 1_000,
    logger: { debug: () => undefined },
  });
  queue.scheduleCheckPendingRequests();
  expect(queue.throttleCheckTimeoutId).toBeNull();
  queue.pending.push({});
  queue.scheduleCheckPendingRequests();
  expect(queue.throttleCheckTimeoutId).not.toBeNull();
  queue.destroy();
});
