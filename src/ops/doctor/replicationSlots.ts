import type { Pool } from 'pg';
import { type Finding, ok, warn } from './finding';

interface Slot {
  readonly name: string;
  readonly active: boolean;
  /** What Postgres keeps on its disk for it, in bytes; null when it has given up keeping it. */
  readonly held: string | null;
}

/** A slot in use may be behind by this much, in bytes, before it is worth a look. */
const muchBytes = 1_073_741_824;

/** Replication slots keep Postgres from removing its log: one that nothing reads fills the disk in the end. */
export async function replicationSlots(pool: Pool): Promise<Finding[]> {
  const check = 'replication slots';
  const { rows } = await pool.query<Slot>(
    `SELECT slot_name AS name, active, pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::bigint::text AS held
     FROM pg_replication_slots WHERE NOT temporary ORDER BY slot_name`,
  );
  const findings = rows.flatMap(({ name, active, held }) => {
    const bytes = Number(held ?? 0);
    if (active && bytes < muchBytes) return [];
    const detail = `the slot "${name}" ${active ? 'is behind' : 'is not in use'} and holds ${Math.round(bytes / 1_048_576)} MB of Postgres' log`;
    const remedy = `Start what reads it; or, if nothing does any more: SELECT pg_drop_replication_slot('${name}').`;
    return [warn(check, detail, remedy)];
  });
  if (findings.length > 0) return findings;
  return [ok(check, rows.length === 0 ? 'there are none' : `${rows.length} in use`)];
}
