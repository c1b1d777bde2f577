/**
 * Looks at every port that is going to be used before anything starts, so that a person hears of all conflicts at
 * once and with the name of the variable that moves each.
 */
import { createServer } from 'node:net';

export interface WantedPort {
  readonly port: number;
  readonly host: string;
  /** What is going to listen there, e.g. "the API". */
  readonly user: string;
  /** The environment variable that moves it. */
  readonly variable: string;
}

/** One line for each port that can't be had; empty when all is well. */
export async function portProblems(wanted: readonly WantedPort[]): Promise<string[]> {
  const problems = await Promise.all(
    wanted.map(async (port) => clashAmongOurs(port, wanted) ?? (await clashWithOthers(port))),
  );
  return problems.filter((problem) => problem !== undefined);
}

function clashAmongOurs(wanted: WantedPort, all: readonly WantedPort[]): string | undefined {
  const first = all.find((other) => other.port === wanted.port);
  if (first === undefined || first === wanted) return undefined;
  return `Port ${wanted.port} is given to both ${first.user} (${first.variable}) and ${wanted.user} (${wanted.variable}): change one of them.`;
}

async function clashWithOthers({ port, host, user, variable }: WantedPort): Promise<string | undefined> {
  const code = await tryToListen(port, host);
  if (code === undefined) return undefined;
  if (code === 'EADDRINUSE') {
    return `Port ${port}, wanted by ${user}, is taken by another program: free it, or set ${variable} to another port.`;
  }
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return `${host} is not an address of this machine, so ${user} can't listen there: set HOST to one that is.`;
  }
  return `Port ${port} can't be used by ${user} (${code}): set ${variable} to another port.`;
}

/** The error's code; undefined when the port is free. */
function tryToListen(port: number, host: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}
