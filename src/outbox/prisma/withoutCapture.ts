import { silentStatements, statementMode } from './statementComments';
import { runInScope } from './lazyScope';

/**
 * Runs `work` so that nothing that it writes has an event, with either engine: for corrections, and for loading rows
 * whose events have been published before. It holds for every client whose statements can carry a comment (those of
 * `createPrismaClient`), for raw SQL, and for what foreign keys and triggers of the database do in the course of it.
 * TRUNCATE stays refused where triggers are installed.
 */
export function withoutCapture<T>(work: () => T): T {
  return runInScope(statementMode, silentStatements, work);
}
