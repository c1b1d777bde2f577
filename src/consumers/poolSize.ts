import { parseDatabaseUrl } from '../shared/connections/databaseUrl';
import { UserError } from '../shared/lifecycle';

/** A consumer works on this many partitions at a time, if there are connections for it. */
const mostPartitionsAtOnce = 4;
/** For the reminders that are due, and for readiness. */
const beside = 2;

export interface ConsumerConnections {
  /** Of Prisma's pool. */
  readonly poolSize: number;
  /** For each consumer. */
  readonly partitionsAtOnce: number;
}

/**
 * Divides the connections among the consumers of a process, so that none ever waits for one that another holds for the
 * time of its handler. Each partition that is worked on holds one.
 * @throws UserError when there are too few for one partition of each consumer
 */
export function divideConnections(
  consumers: number,
  { databaseUrl, poolSize }: { readonly databaseUrl: string; readonly poolSize: number | undefined },
): ConsumerConnections {
  const limit = parseDatabaseUrl(databaseUrl).parameters.connection_limit;
  const given = limit ?? poolSize;
  if (given === undefined) {
    return { poolSize: consumers * mostPartitionsAtOnce + beside, partitionsAtOnce: mostPartitionsAtOnce };
  }
  const partitionsAtOnce = Math.min(mostPartitionsAtOnce, Math.floor((given - beside) / consumers));
  if (partitionsAtOnce >= 1) return { poolSize: given, partitionsAtOnce };
  const name = limit === undefined ? 'DATABASE_POOL_SIZE' : 'connection_limit in DATABASE_URL';
  throw new UserError(
    `${name} is ${given}, and ${consumers} consumers in one process need ${consumers + beside} connections at least: raise it, or run fewer consumers in this process.`,
  );
}
