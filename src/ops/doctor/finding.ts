import { withDeadline } from '../../shared/withDeadline';
import { UserError } from '../../shared/lifecycle';

/** What a check found. */
export interface Finding {
  readonly check: string;
  /** `warn`: it works, and somebody should look. `fail`: events are not delivered, or will not be. */
  readonly status: 'ok' | 'warn' | 'fail';
  readonly detail: string;
  /** What to do; absent when all is well. */
  readonly remedy?: string;
}

/** Something that can be looked at by itself. */
export interface Check {
  readonly name: string;
  readonly run: () => Promise<readonly Finding[]>;
}

export const ok = (check: string, detail: string): Finding => ({ check, status: 'ok', detail });
export const warn = (check: string, detail: string, remedy: string): Finding => ({
  check,
  status: 'warn',
  detail,
  remedy,
});
export const fail = (check: string, detail: string, remedy: string): Finding => ({
  check,
  status: 'fail',
  detail,
  remedy,
});

/** Longest time that a check may take, in milliseconds. */
const defaultDeadlineMs = 10_000;

/** Runs checks side by side. One that throws or takes too long has failed; none holds up the others. */
export async function runChecks(
  checks: readonly Check[],
  deadlineMs = defaultDeadlineMs,
): Promise<Finding[]> {
  const found = await Promise.all(
    checks.map(async ({ name, run }) => {
      try {
        return await withDeadline(run(), deadlineMs);
      } catch (error) {
        return [fail(name, reasonOf(error), remedyFor)];
      }
    }),
  );
  return found.flat();
}

const remedyFor = 'Look at what the servers log, and run the doctor again.';

/** Messages of database errors quote values: only those that were written for people are shown. */
function reasonOf(error: unknown): string {
  if (error instanceof UserError) return error.message;
  if (!(error instanceof Error)) return 'it could not be looked at';
  const { code } = error as { code?: unknown };
  if (error.name === 'NoAnswerError') return error.message;
  return `it could not be looked at (${typeof code === 'string' ? code : error.name})`;
}
