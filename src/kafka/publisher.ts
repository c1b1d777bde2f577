import type { OutgoingMessage } from './message';

/** Why a send did not succeed; see classifyError.ts. */
export type SendFailure =
  /** Waiting may mend it; the same messages are to be sent again. */
  | { readonly kind: 'retryable'; readonly type: string }
  /** At least one of the messages is refused for its own fault. */
  | { readonly kind: 'poison'; readonly type: string; readonly reason: 'too_large' | 'refused' }
  /** Somebody has to change credentials, permissions or configuration. */
  | { readonly kind: 'fatal'; readonly type: string };

export type SendOutcome = { readonly kind: 'sent' } | SendFailure;

/** Brings messages to Kafka. */
export interface Publisher {
  /**
   * Sends the messages in their order. "sent" means that all in-sync replicas have all of them; after any failure
   * some may have arrived all the same. Never rejects for what Kafka answers. One send at a time.
   */
  send(messages: readonly OutgoingMessage[]): Promise<SendOutcome>;
  /** Topics that are known not to exist: what belongs there has to wait. */
  readonly missingTopics: ReadonlySet<string>;
}
