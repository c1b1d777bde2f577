import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { BrokerStartError } from '../errors';

export interface RunningServer {
  readonly port: number;
  /** Closes the port and all connections. */
  close(): Promise<void>;
}

/** @throws BrokerStartError that names the port when it can't be had. */
export async function listen(
  host: string,
  port: number,
  onConnection: (socket: Socket) => void,
  onError: (error: Error) => void,
): Promise<RunningServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    onConnection(socket);
  });
  server.listen({ host, port, exclusive: true });
  try {
    await once(server, 'listening');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'EADDRINUSE' ? 'is taken by another program' : `cannot be used (${code})`;
    const message = `Port ${port} on ${host} ${why}: the dev broker can't listen there. Free it, or choose another port.`;
    throw new BrokerStartError(message, { cause: error });
  }
  // A connection that could not be accepted (too many open files, say) must not end the program.
  server.on('error', onError);
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
