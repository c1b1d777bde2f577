import { randomUUID } from 'node:crypto';
import type { IdentityEntry } from './entries';

const block = 1_000;

/** The cluster's name and the producer ids, which are reserved a block at a time: no id is ever given out twice. */
export class Identity {
  clusterId = '';
  private reserved = 0;
  private next = 0;

  constructor(private readonly record: (entry: IdentityEntry) => void) {}

  apply(entry: IdentityEntry): void {
    if (entry.kind === 'cluster') this.clusterId = entry.id;
    else this.reserved = entry.reserved;
  }

  *snapshot(): Iterable<IdentityEntry> {
    if (this.clusterId !== '') yield { kind: 'cluster', id: this.clusterId };
    yield { kind: 'producerIds', reserved: this.reserved };
  }

  /** To be called once the journal has been read. */
  open(): void {
    this.next = this.reserved;
    if (this.clusterId === '') this.record({ kind: 'cluster', id: randomUUID() });
  }

  newProducerId(): number {
    if (this.next >= this.reserved) this.record({ kind: 'producerIds', reserved: this.next + block });
    const id = this.next;
    this.next += 1;
    return id;
  }
}
