import { Command } from 'commander';
import { remedies } from '../../outbox/prisma/installed/check';
import { writeMigration } from '../../outbox/prisma/trigger/writeMigration';
import { triggerProblems } from '../../outbox/prisma/trigger/installed';
import { readSchemaFiles } from '../../outbox/prisma/schema/files';
import { withDatabase } from '../../ops/database';
import type { Logger } from '../../shared/logger';
import { pendingMigrations } from '../../shared/migrate/migrate';
import type { Frame } from '../frame';
import type { Project } from '../project';

/** `signalbox check`: one line for each thing that does not fit; exit code 1 for any. */
export function checkCommand(frame: Frame): Command {
  return new Command('check')
    .description(
      'Compares schema, catalogue, migrations and, where DATABASE_URL is set, the database. Changes nothing; exit code 1 when something does not fit.',
    )
    .allowExcessArguments(false)
    .action(() =>
      frame.run('check', async (logger, project) => {
        const asked = (project.environment['DATABASE_URL'] ?? '') !== '';
        const problems = [
          ...(await migrationProblems(project)),
          ...(asked ? await databaseProblems(project, logger) : []),
        ];
        for (const problem of problems) frame.stderr.write(`${problem}\n`);
        const looked = asked
          ? 'Schema, catalogue, migrations and database'
          : 'Schema, catalogue and migrations';
        if (problems.length === 0) frame.stdout.write(`${looked} fit.\n`);
        return problems.length === 0 ? 0 : 1;
      }),
    );
}

async function migrationProblems({ config, schema, migrations }: Project): Promise<string[]> {
  const { aggregates } = config.catalogue;
  const { exitCode, message } = await writeMigration(aggregates, { schema, migrations, check: true });
  return exitCode === 0 ? [] : [message];
}

async function databaseProblems(project: Project, logger: Logger): Promise<string[]> {
  const { config, migrations: directory, environment } = project;
  return withDatabase({ environment, logger }, async (pool, databaseUrl) => {
    const pending = await pendingMigrations({ databaseUrl, directory });
    if (pending.length > 0)
      return [
        `The database lacks migrations: ${pending.join(', ')}. Apply them with "npx signalbox migrate".`,
      ];
    const schema = await readSchemaFiles(project.schema);
    const found = await triggerProblems(pool, config.catalogue, { schema, databaseUrl });
    return found.map(({ problem, remedy }) => `In the database, ${problem}. ${remedies[remedy]}`);
  });
}
