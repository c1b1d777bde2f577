import { Command } from 'commander';
import type { Run } from '../command';
import { discardParked, listParked, type ParkedOptions, retryParked } from './parked';

/** `ops outbox parked …`: events that Kafka refuses. */
export function parkedCommand(run: Run): Command {
  const parked = new Command('parked').description('events that Kafka refuses for their own fault');
  withFilters(
    parked.command('list').description('which, why, since when, and how many are held behind each'),
  ).action((options: ParkedOptions) => run((tools) => listParked(tools, options)));
  withChoice(
    parked.command('retry').description('let the relay try them again, each before what is held behind it'),
  ).action((refs: string[], options: ParkedOptions) => run((tools) => retryParked(tools, refs, options)));
  withChoice(
    parked.command('discard').description('give them up, for what is held behind them to go on'),
  ).action((refs: string[], options: ParkedOptions) => run((tools) => discardParked(tools, refs, options)));
  return parked;
}

function withFilters(command: Command): Command {
  return command
    .option('--reason <reason>', 'only of this reason: too_large, unknown_type or refused')
    .option('--type <event type>', 'only of this event type')
    .option('--json', 'one line of JSON');
}

function withChoice(command: Command): Command {
  return withFilters(command)
    .argument('[event...]', 'event ids or sequences')
    .option('--all', 'all that are parked')
    .option('--execute', 'do it; without it, only say what would be done');
}
