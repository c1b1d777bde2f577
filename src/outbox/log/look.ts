import type { Pool, PoolClient } from 'pg';
import type { PageRequest } from './cursor';
import { openBatch, type OpenedBatch } from './openBatch';
import { type Page, type PageLimits, readPages } from './readPage';

/*
 * The planner knows neither where a lane's unread rows begin nor how many there are, and its guess for a range between
 * two unknowns is half a percent of the table. With that, fetching all of it by bitmap and sorting looks cheaper than
 * following the index for a page's length, which in a backlog of millions would read the backlog anew for every page.
 * The same guesses make the statement look dear enough to compile it first, which takes longer than a look.
 */
const preamble = `BEGIN ISOLATION LEVEL READ COMMITTED;
  SET LOCAL enable_bitmapscan = off;
  SET LOCAL enable_seqscan = off;
  SET LOCAL jit = off;`;

/** Opens a batch and reads the pages that the caller asks for in view of it. Two round trips. */
export async function look(
  database: Pool,
  requestsFor: (now: OpenedBatch) => PageRequest[],
  limits: PageLimits,
): Promise<Page[]> {
  const client = await database.connect();
  try {
    const now = await openBatch(client, preamble);
    const pages = await readPages(client, requestsFor(now), limits);
    void end(client);
    return pages;
  } catch (error) {
    client.release(true);
    throw error;
  }
}

/** There is nothing to commit, so nobody has to wait for it. */
async function end(client: PoolClient): Promise<void> {
  try {
    await client.query('COMMIT');
    client.release();
  } catch {
    // The connection is broken; whoever asks for the next one learns of it.
    client.release(true);
  }
}
