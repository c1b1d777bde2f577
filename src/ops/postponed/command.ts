import { Command } from 'commander';
import type { Run } from '../command';
import { discardPostponed, listPostponed, type PostponedOptions, retryPostponed } from './postponed';

/** `ops postponed …`: events that consumers have put off. */
export function postponedCommand(run: Run): Command {
  const postponed = new Command('postponed').description(
    'events that consumers have put off, to try them later',
  );
  withFilters(
    postponed.command('list').description('which, of which consumer, why, and when they are tried again'),
  ).action((options: PostponedOptions) => run((tools) => listPostponed(tools, options)));
  withChoice(
    postponed.command('retry').description('have them tried now, by a running process of their consumer'),
  ).action((ids: string[], options: PostponedOptions) => run((tools) => retryPostponed(tools, ids, options)));
  withChoice(
    postponed
      .command('discard')
      .description('give them up, without a dead letter; later ones of their aggregate go on'),
  ).action((ids: string[], options: PostponedOptions) =>
    run((tools) => discardPostponed(tools, ids, options)),
  );
  return postponed;
}

function withFilters(command: Command): Command {
  return command
    .option('--consumer <name>', 'only of this consumer')
    .option('--type <event type>', 'only of this event type')
    .option('--json', 'one line of JSON');
}

function withChoice(command: Command): Command {
  return withFilters(command)
    .argument('[event...]', 'event ids')
    .option('--all', 'all that are postponed')
    .option('--execute', 'do it; without it, only say what would be done');
}
