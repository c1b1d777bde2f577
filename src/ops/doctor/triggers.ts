import type { Pool } from 'pg';
import type { Catalogue } from '../../events/catalogue';
import { readSchemaFiles } from '../../outbox/prisma/schema/files';
import { remedies, type TriggerProblem } from '../../outbox/prisma/installed/check';
import { isGenerated } from '../../outbox/prisma/trigger/migration';
import { migrationsAreCurrent, triggerProblems } from '../../outbox/prisma/trigger/installed';
import { UserError } from '../../shared/lifecycle';
import { pendingMigrations } from '../../shared/migrate/migrate';
import { fail, type Finding, ok, warn } from './finding';

export interface TriggersCheckOptions {
  readonly pool: Pool;
  readonly catalogue: Catalogue;
  readonly databaseUrl: string;
  /** The Prisma schema: its file, or the folder of its files. */
  readonly schema: string;
  /** The folder of migrations. */
  readonly migrations: string;
  readonly engine: 'middleware' | 'trigger';
}

/** Whether the capture triggers do what the catalogue says; if not, the command that puts it right. */
export async function triggers(options: TriggersCheckOptions): Promise<Finding[]> {
  const check = 'triggers';
  const schema = await readSchemaFiles(options.schema);
  const { pool, catalogue, databaseUrl } = options;
  const problems = await triggerProblems(pool, catalogue, { schema, databaseUrl });
  if (problems.length === 0) return [ok(check, 'as the catalogue of events wants them')];
  const reinstall = await reinstallCommands(options, schema);
  const remedyOf = ({ remedy }: TriggerProblem): string =>
    remedy === 'reinstall' ? reinstall : remedies[remedy];
  const found = options.engine === 'trigger' ? fail : warn;
  const note =
    options.engine === 'trigger'
      ? ''
      : ' (OUTBOX_CAPTURE is middleware: what is written past it has no events)';
  return problems.map((problem) => found(check, `${problem.problem}${note}`, remedyOf(problem)));
}

/** A migration that is written or applied already does nothing a second time: then only a repair helps. */
async function reinstallCommands(
  { catalogue, databaseUrl, migrations: directory }: TriggersCheckOptions,
  schema: string,
): Promise<string> {
  if (!(await migrationsAreCurrent(schema, catalogue, directory)))
    return 'Run "npx signalbox sync" and "npx signalbox migrate".';
  // Why they cannot be compared is said by the check of the migrations.
  const pending = await pendingMigrations({ databaseUrl, directory }).catch((error: unknown) => {
    if (error instanceof UserError) return ['unknown_signalbox'];
    throw error;
  });
  if (pending.some(isGenerated)) return 'Run "npx signalbox migrate".';
  return 'Run "npx signalbox sync --repair" and "npx signalbox migrate": the migrations are applied, and the triggers were changed since.';
}
