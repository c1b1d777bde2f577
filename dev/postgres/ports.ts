import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Whether a listener on that loopback port could be opened just now. */
export async function isPortFree(port: number): Promise<boolean> {
  return (await tryToListen(port)) !== undefined;
}

/** Below the ports that systems give to outgoing connections, which could take one between our look and its use. */
const lowest = 20_000;
const highest = 32_000;
const attempts = 200;

/** A loopback port that was free a moment ago: whoever takes it must be ready to lose the race and ask again. */
export async function findFreePort(): Promise<number> {
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    const port = randomInt(lowest, highest);
    if (await isPortFree(port)) return port;
  }
  throw new Error(
    `No free port found on 127.0.0.1 between ${lowest} and ${highest} in ${attempts} attempts.`,
  );
}

function tryToListen(port: number): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => {
      const address = server.address();
      const found = typeof address === 'object' && address !== null ? address.port : undefined;
      server.close(() => resolve(found));
    });
  });
}
