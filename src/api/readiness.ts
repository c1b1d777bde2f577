import { type ReadinessCheck, UserError } from 'signalbox/service';

type Outcome = Awaited<ReturnType<ReadinessCheck['check']>>;

export interface ReadinessSources {
  /** Resolves when the database has answered. */
  readonly ping: () => Promise<unknown>;
  /** Names of the migrations that the database lacks. */
  readonly pendingMigrations: () => Promise<readonly string[]>;
  /** Longest time that a check may take, in milliseconds. */
  readonly timeoutMs: number;
}

/**
 * What must hold before requests are sent here: the database answers, and it has every migration. Migrations are not
 * looked at again once they were complete, because nothing takes them away and a look costs a connection.
 */
export function readinessChecks({ ping, pendingMigrations, timeoutMs }: ReadinessSources): ReadinessCheck[] {
  let complete = false;
  const migrations = async (): Promise<Outcome> => {
    if (complete) return { ok: true };
    const pending = await pendingMigrations();
    complete = pending.length === 0;
    if (complete) return { ok: true };
    return { ok: false, detail: `run "npm run migrate"; missing: ${pending.join(', ')}` };
  };
  const database = async (): Promise<Outcome> => {
    await ping();
    return { ok: true };
  };
  return [
    { name: 'database', check: bounded(database, timeoutMs) },
    { name: 'migrations', check: bounded(migrations, timeoutMs) },
  ];
}

/**
 * The check with an end: a failure says what an operator may know, and one that hangs counts as failed. Probes that
 * come meanwhile share the one that hangs, so that they never pile up connections.
 */
function bounded(check: () => Promise<Outcome>, timeoutMs: number): () => Promise<Outcome> {
  let running: Promise<Outcome> | undefined;
  return async () => {
    running ??= check()
      .catch(describeFailure)
      .finally(() => {
        running = undefined;
      });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<Outcome>((resolve) => {
      timer = setTimeout(() => resolve({ ok: false, detail: `no answer within ${timeoutMs} ms` }), timeoutMs);
    });
    return Promise.race([running, late]).finally(() => clearTimeout(timer));
  };
}

/** A message may quote the database's address, so only those that were written for people are shown. */
function describeFailure(error: unknown): Outcome {
  if (error instanceof UserError) return { ok: false, detail: error.message };
  const code = (error as { code?: unknown } | null)?.code;
  if (typeof code === 'string') return { ok: false, detail: code };
  return { ok: false, detail: error instanceof Error ? error.name : 'failed' };
}
