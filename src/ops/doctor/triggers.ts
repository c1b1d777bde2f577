import type { Catalogue } from '../../events/catalogue';
import type { PrismaClientLike } from '../../outbox/prisma/captured';
import { remedies, type TriggerProblem } from '../../outbox/prisma/installed/check';
import { migrationsAreCurrent, triggerInspector } from '../../outbox/prisma/trigger/installed';
import { UserError } from '../../shared/lifecycle';
import { findMigrations } from '../../shared/migrate/findMigrations';
import { pendingMigrations } from '../../shared/migrate/migrate';
import { fail, type Finding, ok, warn } from './finding';

export interface TriggersCheckOptions {
  readonly prisma: PrismaClientLike;
  readonly catalogue: Catalogue;
  readonly databaseUrl: string;
  readonly engine: 'middleware' | 'trigger';
}

/** Whether the capture triggers do what the catalogue says; if not, the command that puts it right. */
export async function triggers(options: TriggersCheckOptions): Promise<Finding[]> {
  const check = 'triggers';
  const problems = await triggerInspector(options.prisma, options.catalogue)();
  if (problems.length === 0) return [ok(check, 'as the catalogue of events wants them')];
  const reinstall = await reinstallCommands(options);
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
async function reinstallCommands({ prisma, catalogue, databaseUrl }: TriggersCheckOptions): Promise<string> {
  const directory = findMigrations();
  if (!(await migrationsAreCurrent(prisma, catalogue, directory)))
    return 'Run "npm run events:migration" and "npm run migrate".';
  // Why they cannot be compared is said by the check of the migrations.
  const pending = await pendingMigrations({ databaseUrl, directory }).catch((error: unknown) => {
    if (error instanceof UserError) return ['unknown_event_triggers'];
    throw error;
  });
  if (pending.some((name) => name.endsWith('_event_triggers'))) return 'Run "npm run migrate".';
  return 'Run "npm run events:migration -- --repair" and "npm run migrate": the migrations are applied, and the triggers were changed since.';
}
