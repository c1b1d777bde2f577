/** Why a send did not succeed; see publish/classifyError.ts. `words` are for people: what the connection or Kafka said. */
export type SendFailure =
  /** Waiting may mend it; the same messages are to be sent again. */
  | { readonly kind: 'retryable'; readonly type: string; readonly words?: string }
  /** At least one of the messages is refused for its own fault. */
  | { readonly kind: 'poison'; readonly type: string; readonly reason: 'too_large' | 'refused' }
  /** Somebody has to change credentials, permissions or configuration. */
  | { readonly kind: 'fatal'; readonly type: string; readonly words?: string };
