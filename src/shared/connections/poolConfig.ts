import type { PoolConfig } from 'pg';
import type { DatabaseAddress } from './databaseUrl';
import type { Session } from './session';
import { SessionClient } from './sessionClient';

/** What pg's pool makes its connections with. */
export function clientOf(session: Session): new () => SessionClient {
  return class extends SessionClient {
    constructor() {
      super(session);
    }
  };
}

/** pg takes the wait for a connection and the making of a new one together. */
export function poolLimits(
  parameters: DatabaseAddress['parameters'],
  { acquireTimeoutMs }: { readonly acquireTimeoutMs?: number },
): PoolConfig {
  const { max_idle_connection_lifetime: idleMs, max_connection_lifetime: lifetimeMs } = parameters;
  const waitMs = parameters.pool_timeout ?? acquireTimeoutMs;
  return {
    ...(waitMs !== undefined && { connectionTimeoutMillis: waitMs }),
    ...(idleMs !== undefined && { idleTimeoutMillis: idleMs }),
    ...(lifetimeMs !== undefined && { maxLifetimeSeconds: lifetimeMs / 1_000 }),
  };
}
