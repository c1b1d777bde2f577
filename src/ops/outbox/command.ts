import { Command } from 'commander';
import type { Run } from '../command';
import { type RepairOptions, repair } from './repair';

/** `ops outbox …`: the outbox and its cursors. */
export function outboxCommand(run: Run): Command {
  const outbox = new Command('outbox').description('the outbox and its cursors');
  outbox
    .command('repair')
    .description(
      'rebuild the cursors after the database was restored or moved to another cluster; a dry run unless --execute',
    )
    .option('--execute', 'change the database; without it, only say what would be published')
    .option('--json', 'one line of JSON')
    .action((options: RepairOptions) => run((tools) => repair(tools, options)));
  return outbox;
}
