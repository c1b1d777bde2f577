import { once } from 'node:events';
import type { Server } from 'node:net';
import { UserError } from './lifecycle';

/**
 * Makes a server listen.
 * @throws UserError that names the port and the variable that moves it, when the port cannot be had.
 */
export async function listen(
  server: Server,
  options: { host: string; port: number; portVariable: string },
): Promise<void> {
  const { host, port, portVariable } = options;
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const why = code === 'EADDRINUSE' ? 'is taken by another program' : `cannot be used (${code})`;
    throw new UserError(`Port ${port} on ${host} ${why}. Free it, or set ${portVariable} to another port.`, {
      cause: error,
    });
  }
}
