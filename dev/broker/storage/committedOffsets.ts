import type { CommittedOffset, OffsetEntry } from './entries';

type Committed = Pick<CommittedOffset, 'offset' | 'metadata'>;

interface GroupOffsets {
  readonly protocolType: string;
  readonly topics: Map<string, Map<number, Committed>>;
}

/** The consumer groups that were ever heard of and the offsets they committed, kept in the journal. */
export class CommittedOffsets {
  private readonly groups = new Map<string, GroupOffsets>();

  constructor(private readonly record: (entry: OffsetEntry) => void) {}

  commit(group: string, offsets: readonly CommittedOffset[]): void {
    if (offsets.length > 0) this.record({ kind: 'offsets', group, offsets });
  }

  /** Remembers that a group exists, and what kind of clients it has. */
  register(group: string, protocolType: string): void {
    if (this.groups.get(group)?.protocolType === protocolType) return;
    this.record({ kind: 'group', group, protocolType });
  }

  delete(group: string): void {
    this.record({ kind: 'groupDeleted', group });
  }

  /** Group ids with the kind of their clients; it is empty where offsets were committed without members. */
  list(): [group: string, protocolType: string][] {
    return [...this.groups].map(([group, { protocolType }]) => [group, protocolType]);
  }

  protocolType(group: string): string | undefined {
    return this.groups.get(group)?.protocolType;
  }

  find(group: string, topic: string, partition: number): Committed | undefined {
    return this.groups.get(group)?.topics.get(topic)?.get(partition);
  }

  all(group: string): CommittedOffset[] {
    return [...(this.groups.get(group)?.topics ?? [])].flatMap(([topic, partitions]) =>
      [...partitions].map(([partition, committed]) => ({ topic, partition, ...committed })),
    );
  }

  apply(entry: OffsetEntry): void {
    if (entry.kind === 'topicDeleted') {
      for (const { topics } of this.groups.values()) topics.delete(entry.name);
    } else if (entry.kind === 'groupDeleted') {
      this.groups.delete(entry.group);
    } else if (entry.kind === 'group') {
      const topics = this.groups.get(entry.group)?.topics ?? new Map<string, Map<number, Committed>>();
      this.groups.set(entry.group, { protocolType: entry.protocolType, topics });
    } else {
      for (const offset of entry.offsets) this.put(entry.group, offset);
    }
  }

  *snapshot(): Iterable<OffsetEntry> {
    for (const [group, { protocolType }] of this.groups) {
      yield { kind: 'group', group, protocolType };
      const offsets = this.all(group);
      if (offsets.length > 0) yield { kind: 'offsets', group, offsets };
    }
  }

  private put(group: string, { topic, partition, offset, metadata }: CommittedOffset): void {
    const { topics } = this.groups.get(group) ?? this.add(group);
    const partitions = topics.get(topic) ?? new Map<number, Committed>();
    partitions.set(partition, { offset, metadata });
    topics.set(topic, partitions);
  }

  private add(group: string): GroupOffsets {
    const offsets: GroupOffsets = { protocolType: '', topics: new Map() };
    this.groups.set(group, offsets);
    return offsets;
  }
}
