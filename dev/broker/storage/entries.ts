/** The changes that the journal records. */
export type TopicEntry =
  | {
      readonly kind: 'topic';
      readonly id: string;
      readonly name: string;
      readonly partitions: number;
      readonly configs: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'partitions'; readonly id: string; readonly partitions: number }
  | { readonly kind: 'configs'; readonly id: string; readonly configs: Readonly<Record<string, string>> }
  | { readonly kind: 'logStart'; readonly id: string; readonly partition: number; readonly offset: number }
  | { readonly kind: 'topicDeleted'; readonly id: string; readonly name: string };

export type OffsetEntry =
  | { readonly kind: 'group'; readonly group: string; readonly protocolType: string }
  | { readonly kind: 'offsets'; readonly group: string; readonly offsets: readonly CommittedOffset[] }
  | { readonly kind: 'groupDeleted'; readonly group: string }
  | { readonly kind: 'topicDeleted'; readonly id: string; readonly name: string };

export type IdentityEntry =
  | { readonly kind: 'cluster'; readonly id: string }
  | { readonly kind: 'producerIds'; readonly reserved: number };

export type Entry = TopicEntry | OffsetEntry | IdentityEntry;

export interface CommittedOffset {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly metadata: string | null;
}
