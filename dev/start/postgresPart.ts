import type { Logger } from '../../src/shared/logger';
import { startPostgres } from '../postgres/startPostgres';
import type { Part, Run } from './part';

/** Small, because one developer uses it, and each connection or helper is a process of its own. */
const settings = {
  shared_buffers: '32MB',
  max_connections: '100',
  jit: 'off',
  io_method: 'sync',
  max_logical_replication_workers: '0',
};

export interface PostgresPartOptions {
  dataDir: string;
  port: number;
  logger: Logger;
  /** Called with the URL of the database when it takes connections. */
  onReady: (url: string) => void;
}

/** The embedded Postgres. Its own log is a file beside its data; here is only said what it does as a whole. */
export function postgresPart({ onReady, ...options }: PostgresPartOptions): Part {
  return {
    name: 'postgres',
    async launch(): Promise<Run> {
      const server = await startPostgres({ ...options, settings });
      let alive = true;
      const ended = server.exited.then(() => {
        alive = false;
        return `its log is ${options.dataDir}.log`;
      });
      options.logger.info({ port: server.port }, 'ready');
      onReady(server.url);
      return { ended, stop: () => server.stop(), kill: () => alive && kill(server.pid) };
    },
  };
}

/** The immediate shutdown: it takes its own children along. The data are safe; the next start recovers them. */
function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGQUIT');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
