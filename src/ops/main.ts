import { Command } from 'commander';
import { repairCursors } from '../outbox/log/repair';
import { loadConfig } from '../shared/config/load';
import { commonVariables } from '../shared/config/variables';
import { createPool } from '../shared/database';
import type { Logger } from '../shared/logger';
import { runProgram } from '../shared/program';

interface RepairOptions {
  readonly execute?: boolean;
  readonly json?: boolean;
}

const ops = new Command('npm run ops --').description(
  'Looks after the outbox. Environment variables configure it.',
);

ops
  .command('outbox')
  .description('the outbox and its cursors')
  .command('repair')
  .description(
    'rebuild the cursors after the database was restored or moved to another cluster; a dry run unless --execute',
  )
  .option('--execute', 'change the database; without it, only say what would be published')
  .option('--json', 'one line of JSON')
  .action((options: RepairOptions) => runProgram('ops', process.env, (logger) => repair(logger, options)));

void ops.parseAsync();

async function repair(logger: Logger, { execute = false, json = false }: RepairOptions): Promise<number> {
  const { DATABASE_URL: databaseUrl } = loadConfig(
    { DATABASE_URL: commonVariables.DATABASE_URL },
    process.env,
  );
  const pool = createPool({ databaseUrl, poolSize: 1, applicationName: 'signalbox-ops', logger });
  try {
    const lanes = await repairCursors(pool, { execute });
    const waiting = lanes.reduce((sum, lane) => sum + lane.waiting, 0);
    const text = execute
      ? `The cursors are rebuilt. ${waiting} events wait and are published when a relay starts.`
      : `${waiting} events would be published. Nothing was changed; add --execute to rebuild the cursors.`;
    process.stdout.write(`${json ? JSON.stringify({ executed: execute, waiting, lanes }) : text}\n`);
    return 0;
  } finally {
    await pool.end();
  }
}
