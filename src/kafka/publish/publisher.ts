import type { OutgoingMessage } from '../messages/message';
import type { TopicTrouble } from '../topics/topicTrouble';

/** Why a send did not succeed; see classifyError.ts. `words` are for people: what the connection or Kafka said. */
export type SendFailure =
  /** Waiting may mend it; the same messages are to be sent again. */
  | { readonly kind: 'retryable'; readonly type: string; readonly words?: string }
  /** At least one of the messages is refused for its own fault. */
  | { readonly kind: 'poison'; readonly type: string; readonly reason: 'too_large' | 'refused' }
  /** Somebody has to change credentials, permissions or configuration. */
  | { readonly kind: 'fatal'; readonly type: string; readonly words?: string };

/** It failed for the sake of single topics, of which `topicTroubles` or `isProven` says something else now. */
export interface TopicsChanged {
  readonly kind: 'topics changed';
  readonly type: string;
}

export type SendOutcome = { readonly kind: 'sent' } | SendFailure | TopicsChanged;

/** Brings messages to Kafka. */
export interface Publisher {
  /**
   * Sends the messages in their order. "sent" means that all in-sync replicas have all of them; after any failure
   * some may have arrived all the same. Never rejects for what Kafka answers. One send at a time.
   */
  send(messages: readonly OutgoingMessage[]): Promise<SendOutcome>;
  /** Topics that cannot be used, by name: what belongs there has to wait. */
  readonly topicTroubles: ReadonlyMap<string, TopicTrouble>;
  /** Whether Kafka has acknowledged a message of the topic lately. The first one of any other is sent by itself. */
  isProven(topic: string): boolean;
  /** Whether what keeps this topic keeps all others, too: then nothing of it is set aside. */
  isOutage(topic: string): boolean;
}
