/**
 * The protocol error types (`MESSAGE_TOO_LARGE`, …) and class names of an error and everything that caused it:
 * kafkajs wraps the telling error in others that say how often it was retried.
 */
export function errorTypes(error: unknown): string[] {
  const found: string[] = [];
  for (let current = error, depth = 0; current instanceof Error && depth < 10; depth += 1) {
    found.push(current.name);
    const { type, cause, originalError } = current as {
      type?: unknown;
      cause?: unknown;
      originalError?: unknown;
    };
    if (typeof type === 'string') found.push(type);
    current = cause ?? originalError;
  }
  return found;
}

const memberLost = [
  'REBALANCE_IN_PROGRESS',
  'NOT_COORDINATOR_FOR_GROUP',
  'ILLEGAL_GENERATION',
  'UNKNOWN_MEMBER_ID',
];

/** Whether the group is handing out its partitions anew, so that what we hold may be another member's by now. */
export function isRebalance(error: unknown): boolean {
  return errorTypes(error).some((type) => memberLost.includes(type));
}

const fatal = [
  'KafkaJSSASLAuthenticationError',
  'SASL_AUTHENTICATION_FAILED',
  'UNSUPPORTED_SASL_MECHANISM',
  // A broker, or a listener, that knows of no passwords is given one.
  'ILLEGAL_SASL_STATE',
  'KafkaJSServerDoesNotSupportApiKey',
  'GROUP_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
];

/** Whether waiting cannot help: somebody has to change credentials or permissions. Gives what the broker said. */
export function fatalType(error: unknown): string | undefined {
  return errorTypes(error).findLast((type) => fatal.includes(type));
}
