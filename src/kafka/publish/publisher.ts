import type { OutgoingMessage } from '../messages/message';
import type { SendFailure } from '../sendFailure';
import type { TopicTrouble } from '../topics/topicTrouble';

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
