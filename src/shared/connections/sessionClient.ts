import { callbackify } from 'node:util';
import type { Host } from './databaseUrl';
import { findHost } from './findHost';
import { PinnedClient } from './pinnedClient';
import type { Session } from './session';

/** Where the connections of a session went last. */
const lastHosts = new WeakMap<Session, Host>();

/** A connection to the first of the session's servers that can be used. */
export class SessionClient extends PinnedClient {
  protected override open(done: (error?: Error | null) => void): void {
    const { session } = this;
    if (session.hosts.length === 1 && session.accepts === 'any') return super.open(done);
    // What `done` throws must not become the rejection of a promise that nothing awaits.
    callbackify(findHost)(session, lastHosts.get(session), (error: Error | null, found) => {
      if (error) return done(error);
      lastHosts.set(session, found);
      if (found.host !== undefined) this.host = found.host;
      if (found.port !== undefined) this.port = found.port;
      super.open(done);
    });
  }
}
