import type { Host } from './databaseUrl';
import { PinnedClient } from './pinnedClient';
import type { Session } from './session';

/** No server of the list takes what we need; a code of Postgres' by which everybody knows it for an outage. */
class NoFitHostError extends Error {
  override readonly name = 'NoFitHostError';
  readonly code = '25006';
  readonly severity = 'FATAL';
}

const checks = {
  any: undefined,
  'read-write': 'SELECT current_setting($$transaction_read_only$$) = $$off$$ AS fit',
  primary: 'SELECT NOT pg_is_in_recovery() AS fit',
} as const;

/**
 * The first server that lets us in and is of the kind that `target_session_attrs` asks for; the one that was found last
 * is asked first. pg knows one host only, so each is tried by a connection of its own.
 * @throws what the last server that could not be reached failed with, or an error with SQLSTATE 25006
 */
export async function findHost(session: Session, last: Host | undefined): Promise<Host> {
  const { hosts } = session;
  const ordered = last ? [last, ...hosts.filter((host) => host !== last)] : hosts;
  let failure: unknown;
  for (const host of ordered) {
    try {
      if (await isFit(session, host)) return host;
    } catch (error) {
      failure = error;
    }
  }
  throw (
    failure ?? new NoFitHostError(`No server of DATABASE_URL is ${session.accepts} (target_session_attrs)`)
  );
}

async function isFit(session: Session, host: Host): Promise<boolean> {
  const client = new PinnedClient({ ...session, config: { ...session.config, ...host } });
  await client.connect();
  try {
    const check = checks[session.accepts];
    if (check === undefined) return true;
    const { rows } = await client.query<{ fit: boolean }>(check);
    return rows[0]?.fit === true;
  } finally {
    await client.end();
  }
}
