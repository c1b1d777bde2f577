import { Command } from 'commander';
import type { Run } from '../command';
import { exitCodesHelp } from '../exitCodes';
import { lanes, type LanesOptions } from './lanes';
import { parkedCommand } from './parkedCommand';
import { type RepairOptions, repair } from './repair';
import { replay, type ReplayOptions } from './replay';
import { show, type ShowOptions } from './show';
import { status, type StatusOptions } from './status';
import { target, type TargetOptions } from './target';
import { tail, type TailOptions } from './tail';

const json = ['--json', 'one line of JSON'] as const;
const several = (value: string, earlier: string[] = []): string[] => [...earlier, value];

/** `ops outbox …`: the outbox and its cursors. */
export function outboxCommand(run: Run): Command {
  const outbox = new Command('outbox').description('the outbox and its cursors');
  addLooking(outbox, run);
  addReplay(outbox, run);
  outbox.addCommand(parkedCommand(run));
  addMaintenance(outbox, run);
  return outbox;
}

function addLooking(outbox: Command, run: Run): void {
  outbox
    .command('status')
    .description('who publishes which lane, what waits and for how long, and what is wrong')
    .option('--max-age <seconds>', 'an event that waits longer is worth a warning', '60')
    .option(...json)
    .addHelpText('after', exitCodesHelp)
    .action((options: StatusOptions) => run((tools) => status(tools, options)));
  outbox
    .command('tail')
    .description('the newest events of the outbox, published or not')
    .option('-n, --lines <count>', 'how many', '20')
    .option('-f, --follow', 'go on with those that are committed from now on, until Ctrl-C')
    .option('--type <event type>', 'only of this type; may be repeated', several)
    .option('--key <aggregate id>', 'only of this aggregate; may be repeated', several)
    .option('--data', 'show their data too')
    .option('--json', 'a line of JSON for each')
    .action((options: TailOptions) => run((tools) => tail(tools, options)));
  outbox
    .command('show')
    .description('everything about one event: where it lies, what became of it, what Kafka gets')
    .argument('<event>', 'its id, or its metadata.sequence, which is found faster')
    .option(...json)
    .action((event: string, options: ShowOptions) => run((tools) => show(tools, event, options)));
}

function addReplay(outbox: Command, run: Run): void {
  outbox
    .command('replay')
    .description('publish events again, in order and marked as a replay; a dry run unless --execute')
    .argument('[event...]', 'event ids or sequences')
    .option('--aggregate <type/id>', 'only of this aggregate, as patient/550e8400-…')
    .option('--type <event type>', 'only of this type; may be repeated', several)
    .option('--since <time>', 'only from then on: 30m, 2h, 3d ago, or 2026-01-05T19:00:00Z')
    .option('--until <time>', 'only before then')
    .option('--after <sequence>', 'go on after this sequence, where an earlier replay stopped')
    .option('--all', 'all that the outbox still has')
    .option('--execute', 'send them; without it, only say how many of which types')
    .option(...json)
    .addHelpText(
      'after',
      `
Only events that were published are published again. Ctrl-C stops it after the batch in hand, and says where.
Exit codes: 0 done, or nothing to do; 1 it could not be done, or not all of it; 130 stopped by Ctrl-C.

Examples:
  npx signalbox ops outbox replay --aggregate patient/550e8400-e29b-41d4-a716-446655440000
  npx signalbox ops outbox replay --type appointment.cancelled --since 2h --execute`,
    )
    .action((refs: string[], options: ReplayOptions) => run((tools) => replay(tools, refs, options)));
}

function addMaintenance(outbox: Command, run: Run): void {
  outbox
    .command('lanes')
    .description('raise the number of lanes while writers and relays run; a dry run unless --execute')
    .requiredOption('--to <count>', 'a power of two, higher than now')
    .option('--execute', 'change the database; without it, only say what would be done')
    .option(...json)
    .action((options: LanesOptions) => run((tools) => lanes(tools, options)));
  outbox
    .command('target')
    .description(
      'the Kafka cluster and topic prefix that the events go to; with --execute, changes it to what the KAFKA_* variables name',
    )
    .option('--execute', 'change it; all relays must be stopped')
    .option(...json)
    .action((options: TargetOptions) => run((tools) => target(tools, options)));
  outbox
    .command('repair')
    .description(
      'rebuild the cursors after the database was restored or moved to another cluster; a dry run unless --execute',
    )
    .option('--execute', 'change the database; without it, only say what would be published')
    .option(...json)
    .action((options: RepairOptions) => run((tools) => repair(tools, options)));
}
