import { isDeepStrictEqual } from 'node:util';
import type { EraseEvent } from './subject';

/** An event where it is kept, with what its row is known by. */
export interface StoredEvent<Key> {
  readonly key: Key;
  readonly eventType: string;
  readonly data: Record<string, unknown>;
}

/** Writes the data of each event that holds something of a person without it. Returns how many held something. */
export async function eraseEvents<Key>(
  eraseEvent: EraseEvent,
  events: readonly StoredEvent<Key>[],
  update: (key: Key, data: string) => Promise<unknown>,
): Promise<number> {
  let rewritten = 0;
  for (const { key, eventType, data } of events) {
    const erased = eraseEvent(eventType, data);
    if (isDeepStrictEqual(erased, data)) continue;
    await update(key, JSON.stringify(erased));
    rewritten += 1;
  }
  return rewritten;
}
