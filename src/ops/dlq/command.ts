import { Command } from 'commander';
import type { Run } from '../command';
import { exitCodesHelp } from '../exitCodes';
import { discardLetters } from './discard';
import { listLetters, type ListOptions } from './list';
import { replayLetters, type ReplayOptions } from './replay';
import type { SettleOptions } from './settle';
import { showLetter, type ShowOptions } from './show';

/** `ops dlq …`: messages that a consumer gave up on. */
export function dlqCommand(run: Run): Command {
  const dlq = new Command('dlq').description('dead letters: messages that a consumer gave up on');
  filters(dlq.command('list'))
    .description('the dead letters that are still to be dealt with')
    .option('--all', 'those that were replayed or discarded, too')
    .option('--json', 'one line of JSON')
    .action((options: ListOptions) => run((tools) => listLetters(tools, options)));
  dlq
    .command('show')
    .description('all that is known of a dead letter')
    .argument('<letter>', 'partition:offset or event id, as "dlq list" shows them')
    .option('--value', "its value and headers too, which hold a patient's data")
    .option('--json', 'one line of JSON')
    .action((letter: string, options: ShowOptions) => run((tools) => showLetter(tools, letter, options)));
  choice(dlq.command('replay'))
    .description(
      'send dead letters to their topics again, for the group that gave up; a dry run unless --execute',
    )
    .option('--again', 'those that were replayed or discarded before, too')
    .option(
      '--force-reprocess <consumer>',
      'only letters of this consumer, and have its inbox forget them: the effects happen again',
    )
    .addHelpText('after', replayHelp)
    .action((letters: string[], options: ReplayOptions) =>
      run((tools) => replayLetters(tools, letters, options)),
    );
  choice(dlq.command('discard'))
    .description('mark dead letters as dealt with, without any effect; a dry run unless --execute')
    .addHelpText('after', exitCodesHelp)
    .action((letters: string[], options: SettleOptions) =>
      run((tools) => discardLetters(tools, letters, options)),
    );
  return dlq.addHelpText('after', exitCodesHelp);
}

function filters(command: Command): Command {
  return command
    .option('--group <group>', 'only those of a group or consumer')
    .option('--type <event type>', 'only this event type')
    .option('--error <class>', 'only this class of error, e.g. PermanentError')
    .option('--since <time>', 'only those from a time on: 30s, 10m, 2h, 3d ago, or 2026-01-05T19:00:00Z');
}

function choice(command: Command): Command {
  return filters(command.argument('[letter...]', 'partition:offset or event ids'))
    .option('--all', 'all that are still to be dealt with')
    .option('--execute', 'do it; without it, only say what would be done')
    .option('--json', 'one line of JSON');
}

const replayHelp = `
Only the group that gave up processes a replayed message; the others pass over it. What was replayed is remembered,
and is not replayed a second time unless --again is given. A message that fails again becomes a new dead letter.

Examples:
  npx signalbox ops dlq replay 0:42 --execute
  npx signalbox ops dlq replay --group audit-log --error TransientError --since 2h
  npx signalbox ops dlq replay --all --execute
${exitCodesHelp}`;
