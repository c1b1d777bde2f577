/** What was asked of Kafka: an operation that its access control lists know, too. */
export type TopicOperation = 'Describe' | 'Create' | 'Write' | 'Read';

/**
 * Why a topic cannot be used.
 *
 * missing      the cluster does not have it
 * refused      Kafka refuses the operation: a right is missing, a policy or the name forbids it
 * unavailable  Kafka cannot do it for now: no leader, not enough replicas in sync
 */
export interface TopicTrouble {
  readonly topic: string;
  readonly state: 'missing' | 'refused' | 'unavailable';
  readonly operation: TopicOperation;
  /** Kafka's name of the error. */
  readonly type: string;
  /** Kafka's own words, where it had any. */
  readonly message?: string | undefined;
}

const unavailable = [
  'NOT_ENOUGH_REPLICAS',
  'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_FOR_PARTITION',
  'REPLICA_NOT_AVAILABLE',
  'KAFKA_STORAGE_ERROR',
];
const refused = ['TOPIC_AUTHORIZATION_FAILED', 'INVALID_TOPIC_EXCEPTION'];

/** The state of the topic that a request failed for with this error; undefined when the error is about no topic. */
export function troubleState(type: string): TopicTrouble['state'] | undefined {
  if (type === 'UNKNOWN_TOPIC_OR_PARTITION') return 'missing';
  if (refused.includes(type)) return 'refused';
  return unavailable.includes(type) ? 'unavailable' : undefined;
}

/** One sentence for an operator. `account` is the name under which Kafka knows this program, if we know it. */
export function describeTopicTrouble(trouble: TopicTrouble, account?: string): string {
  const { topic, state, operation, type, message } = trouble;
  const words = message && message !== type ? ` (${message.replace(/\.$/, '')})` : '';
  switch (state) {
    case 'missing':
      return `Kafka has no topic "${topic}"${operation === 'Create' ? `, and it could not be created: ${type}` : ''}.`;
    case 'unavailable':
      return `Kafka cannot ${operation.toLowerCase()} the topic "${topic}" for now: ${type}${words}.`;
    case 'refused':
      return `Kafka refuses ${operation} on the topic "${topic}"${account ? ` to the account "${account}"` : ''}: ${type}${words}.`;
  }
}
