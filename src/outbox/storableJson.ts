/**
 * Whether a JSON value can be written and stored as it is. JavaScript's strings may hold NUL and halves of surrogate
 * pairs, which Postgres' jsonb and text refuse, and its numbers infinity, of which JSON.stringify would make null.
 * Without recursion: a value may be nested deeper than the stack.
 */
export function isStorableJson(value: unknown): boolean {
  const left: unknown[] = [value];
  while (left.length > 0) {
    const next = left.pop();
    if (typeof next === 'string' ? !isStorableText(next) : typeof next === 'number' && !Number.isFinite(next))
      return false;
    if (typeof next === 'object' && next !== null)
      for (const [name, member] of Object.entries(next)) left.push(name, member);
  }
  return true;
}

const isStorableText = (text: string): boolean => !text.includes('\0') && !/\p{Surrogate}/u.test(text);
