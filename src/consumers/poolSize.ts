import { parseDatabaseUrl } from '../shared/connections/databaseUrl';
import { UserError } from '../shared/lifecycle';

/** What a consumer does at the same time, at most, if there are connections for it. */
const most = { partitionsAtOnce: 4, postponedAtOnce: 2 };
const mostForEach = most.partitionsAtOnce + most.postponedAtOnce;
const leastForEach = 2;
/** For the reminders that are due, and for readiness. */
const beside = 2;

export interface ConsumerConnections {
  /** Of Prisma's pool. */
  readonly poolSize: number;
  /** Partitions that each consumer works on at the same time. */
  readonly partitionsAtOnce: number;
  /** Postponed events that each consumer tries at the same time. */
  readonly postponedAtOnce: number;
}

/**
 * Divides the connections among the consumers of a process, so that none ever waits for one that another holds for the
 * time of its handler. Each message that is worked on may hold one.
 * @throws UserError when there are too few for one partition and one postponed event of each consumer
 */
export function divideConnections(
  consumers: number,
  { databaseUrl, poolSize }: { readonly databaseUrl: string; readonly poolSize: number | undefined },
): ConsumerConnections {
  const limit = parseDatabaseUrl(databaseUrl).parameters.connection_limit;
  const given = limit ?? poolSize ?? consumers * mostForEach + beside;
  const forEach = Math.min(mostForEach, Math.floor((given - beside) / consumers));
  if (forEach < leastForEach) {
    const name = limit === undefined ? 'DATABASE_POOL_SIZE' : 'connection_limit in DATABASE_URL';
    throw new UserError(
      `${name} is ${given}, and ${consumers} consumers in one process need ${consumers * leastForEach + beside} connections at least: raise it, or run fewer consumers in this process.`,
    );
  }
  const postponedAtOnce = forEach > most.partitionsAtOnce ? forEach - most.partitionsAtOnce : 1;
  return { poolSize: given, partitionsAtOnce: forEach - postponedAtOnce, postponedAtOnce };
}
