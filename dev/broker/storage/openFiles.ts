import { closeSync, constants, openSync } from 'node:fs';

/** Keeps the most recently used files open, so that thousands of partitions don't need thousands of descriptors. */
export class OpenFiles {
  private readonly descriptors = new Map<string, number>();

  constructor(private readonly limit = 256) {}

  /** A descriptor for reading and writing; valid until the next call. The file is created if it is missing. */
  descriptor(path: string): number {
    const known = this.descriptors.get(path);
    if (known !== undefined) this.descriptors.delete(path);
    const descriptor = known ?? openSync(path, constants.O_RDWR | constants.O_CREAT);
    this.descriptors.set(path, descriptor);
    if (this.descriptors.size > this.limit) this.closeOldest();
    return descriptor;
  }

  close(path: string): void {
    const descriptor = this.descriptors.get(path);
    if (descriptor === undefined) return;
    this.descriptors.delete(path);
    closeSync(descriptor);
  }

  closeAll(): void {
    for (const path of this.descriptors.keys()) this.close(path);
  }

  private closeOldest(): void {
    const [oldest] = this.descriptors.keys();
    if (oldest !== undefined) this.close(oldest);
  }
}
