import type { EventEmitter } from 'node:events';
import type { Pool, PoolClient } from 'pg';
import { PinnedClient, refusedWrite } from './pinnedClient';

/** An idle connection is dropped because its server takes no writes any more. */
class ReadOnlyServerError extends Error {
  override readonly name = 'ReadOnlyServerError';
  override readonly message = 'the server takes no writes, so connections to it are dropped';
}

/**
 * Keeps connections out of a pool that must not be used again:
 * - one whose time zone a statement has changed, or that is given back in the middle of a transaction or a statement;
 * - after a failover, those to a server that has become read-only. They answer reads for as long as they live, so only
 *   a write that is refused shows it; then the idle ones to the same server go at once, the others when they come back.
 */
export function superviseConnections(pool: Pool): void {
  const idle = new Set<PoolClient>();
  const dropIdle = (server: string): void => {
    for (const client of idle) {
      if (serverOf(client) !== server) continue;
      idle.delete(client);
      // How pg itself says that an idle connection is of no use; the pool then removes it.
      client.emit('error', new ReadOnlyServerError());
    }
  };
  pool.on('connect', (client: EventEmitter & PoolClient) =>
    client.on(refusedWrite, () => dropIdle(serverOf(client))),
  );
  pool.on('acquire', (client) => idle.delete(client));
  pool.on('remove', (client) => idle.delete(client));
  pool.on('release', (error, client) => {
    if (error) return;
    if (isReusable(client)) idle.add(client);
    // The pool removes a connection that has been ended.
    else client.end(() => undefined);
  });
}

function isReusable(client: PoolClient): boolean {
  const unfit = client instanceof PinnedClient && client.unfit !== undefined;
  return !unfit && client.getTransactionStatus() === 'I';
}

const serverOf = ({ host, port }: PoolClient): string => `${host}:${port}`;
