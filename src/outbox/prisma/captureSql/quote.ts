import { createHash } from 'node:crypto';

/** Longest name that Postgres keeps whole, in bytes. */
const longestName = 63;

/** A name as a quoted identifier. @throws Error when Postgres would cut it. */
export function identifier(name: string): string {
  if (Buffer.byteLength(name) > longestName)
    throw new Error(`The name "${name}" is longer than the ${longestName} bytes that Postgres keeps`);
  return `"${name.replaceAll('"', '""')}"`;
}

/** A name that may be cut: what is cut off is replaced by a hash, so that two long names stay two. */
export function shortened(name: string): string {
  if (Buffer.byteLength(name) <= longestName) return name;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 8);
  return `${Buffer.from(name).subarray(0, 48).toString().replaceAll('\uFFFD', '')}_${hash}`;
}

/**
 * A string as a literal. The bodies of functions are read under the session's settings, so a backslash is written in
 * the form that means the same whatever `standard_conforming_strings` says.
 */
export function literal(value: string): string {
  const quoted = `'${value.replaceAll("'", "''")}'`;
  return value.includes('\\') ? `E${quoted.replaceAll('\\', '\\\\')}` : quoted;
}
