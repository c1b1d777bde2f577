import { errorTypes, fatalType } from '../errorTypes';
import type { SendFailure } from '../sendFailure';
import { troubleState } from '../topics/topicTrouble';

/*
 * What a failed send means, decided here and nowhere else.
 *
 * retryable  the default: brokers away, leaders moving, time-outs, sequence numbers out of step. No attempt limit.
 * poison     one of the messages can never be accepted; sending the others without it helps.
 * fatal      no message will be accepted until an operator changes credentials, permissions or settings.
 * topic      one of the topics is missing, refused or unavailable; the messages of the others will be accepted.
 */

const tooLarge = ['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'];
const refused = ['INVALID_RECORD', 'INVALID_TIMESTAMP', 'POLICY_VIOLATION'];
const misconfigured = [
  'UNSUPPORTED_COMPRESSION_TYPE',
  'UNSUPPORTED_VERSION',
  'UNSUPPORTED_FOR_MESSAGE_FORMAT',
  'SECURITY_DISABLED',
  'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
  'INVALID_REPLICATION_FACTOR',
  'INVALID_PARTITIONS',
  'INVALID_CONFIG',
  'KafkaJSNotImplemented',
];

/** The kind of a failure, and what the broker or kafkajs called it. */
export function classifyError(
  error: unknown,
): SendFailure | { readonly kind: 'topic'; readonly type: string } {
  const types = errorTypes(firstOf(error));
  const told = (known: readonly string[]): string | undefined =>
    types.findLast((type) => known.includes(type));
  const fatal = fatalType(firstOf(error)) ?? told(misconfigured);
  if (fatal) return { kind: 'fatal', type: fatal };
  const large = told(tooLarge);
  if (large) return { kind: 'poison', type: large, reason: 'too_large' };
  const bad = told(refused);
  if (bad) return { kind: 'poison', type: bad, reason: 'refused' };
  const topic = types.findLast((type) => troubleState(type));
  if (topic) return { kind: 'topic', type: topic };
  return { kind: 'retryable', type: types.at(-1) ?? 'unknown' };
}

/** The admin client reports what went wrong with several topics as a list. */
function firstOf(error: unknown): unknown {
  const { errors } = error as { errors?: unknown };
  return Array.isArray(errors) && errors.length > 0 ? errors[0] : error;
}
