/**
 * A copy of an operation's arguments, as deep as callers can change them. Prisma reads the arguments at once; capture
 * waits for locks first, and what the caller does with its objects meanwhile must not reach the write.
 */
export function copyArgs<T>(value: T): T {
  return copy(value) as T;
}

function copy(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(copy);
  if (value instanceof Date) return new Date(value);
  if (value instanceof Uint8Array) return value.slice();
  // Decimals, references to fields and the like have no parts that callers change.
  if (!isPlain(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, copy(part)]));
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
