/**
 * A TCP proxy on loopback that tests put between a program and its server, to make the network fail: cut what is
 * open, refuse what is new, hold everything back, or slow it down.
 */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

export interface TcpProxy {
  readonly port: number;
  /** `host:port` */
  readonly address: string;
  /** How many connections are open now. */
  connections(): number;
  /** Breaks all open connections, at both ends. New ones are accepted. */
  cut(): void;
  /** From now on new connections are broken at once; with `cut`, that is a server that is down. */
  refuse(): void;
  accept(): void;
  /** Connections stay open but nothing passes any more, as with a cable pulled out. New ones hang too. */
  pause(): void;
  /** Lets everything pass that was held back. */
  resume(): void;
  /** Holds back every chunk, both ways, by that many milliseconds; 0 ends it. Order is kept. */
  delay(ms: number): void;
  /** Breaks everything and stops listening. May be called again. */
  close(): Promise<void>;
}

export async function startTcpProxy(target: { host?: string; port: number }): Promise<TcpProxy> {
  const state: State = { links: new Set(), refusing: false, paused: false, delayMs: 0 };
  const server = createServer({ allowHalfOpen: true }, (client) => {
    if (state.refusing) client.resetAndDestroy();
    else link(state, client, connect({ host: '127.0.0.1', allowHalfOpen: true, ...target }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The proxy has no port.');
  return controls(state, server, address.port);
}

interface State {
  readonly links: Set<Link>;
  refusing: boolean;
  paused: boolean;
  delayMs: number;
}

interface Link {
  readonly breakIt: () => void;
  readonly flush: () => void;
}

function controls(state: State, server: Server, port: number): TcpProxy {
  const cut = (): void => state.links.forEach((open) => open.breakIt());
  return {
    port,
    address: `127.0.0.1:${port}`,
    connections: () => state.links.size,
    cut,
    refuse: () => void (state.refusing = true),
    accept: () => void (state.refusing = false),
    pause: () => void (state.paused = true),
    resume: () => {
      state.paused = false;
      state.links.forEach((open) => open.flush());
    },
    delay: (ms) => void (state.delayMs = ms),
    close: async () => {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      cut();
      await closed;
    },
  };
}

function link(state: State, client: Socket, upstream: Socket): void {
  const directions = [pass(state, client, upstream), pass(state, upstream, client)];
  const both: Link = {
    breakIt: () => {
      state.links.delete(both);
      client.resetAndDestroy();
      upstream.resetAndDestroy();
    },
    flush: () => directions.forEach((flush) => flush()),
  };
  state.links.add(both);
  let closed = 0;
  for (const socket of [client, upstream]) {
    socket.on('error', both.breakIt);
    socket.on('close', () => {
      closed += 1;
      if (closed === 2) state.links.delete(both);
    });
  }
}

/** Passes one direction on, in order; what can't pass yet waits. Returns what lets the waiting pass. */
function pass(state: State, from: Socket, to: Socket): () => void {
  const waiting: { readonly due: number; readonly send: () => void }[] = [];
  const flush = (): void => {
    while (!state.paused && waiting[0] !== undefined) {
      const waitMs = waiting[0].due - performance.now();
      if (waitMs > 0) {
        setTimeout(flush, Math.ceil(waitMs)).unref();
        return;
      }
      waiting.shift()?.send();
    }
  };
  const enqueue = (send: () => void): void => {
    waiting.push({ due: performance.now() + state.delayMs, send });
    flush();
  };
  from.on('data', (chunk) => enqueue(() => void (to.writable && to.write(chunk))));
  from.on('end', () => enqueue(() => void to.end()));
  return flush;
}
