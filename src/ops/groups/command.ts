import { Command, Option } from 'commander';
import type { Run } from '../command';
import { exitCodesHelp } from '../exitCodes';
import { describeGroups } from './describe';
import { groupLag, type LagOptions } from './lag';
import { type JsonOption, listGroups } from './list';
import { resetGroup, type ResetOptions } from './reset';

/** `ops groups …`: consumer groups, how far they are, and putting them elsewhere. */
export function groupsCommand(run: Run): Command {
  const groups = new Command('groups').description(
    'consumer groups, how far they are, and setting them back',
  );
  groups
    .command('list')
    .description('all consumer groups of the cluster')
    .option('--json', 'one line of JSON')
    .action((options: JsonOption) => run((tools) => listGroups(tools, options)));
  groups
    .command('describe')
    .description('members, offsets and lag by partition')
    .argument('<group...>', 'groups, or consumers of Signalbox (audit-log)')
    .option('--json', 'one line of JSON')
    .action((names: string[], options: JsonOption) => run((tools) => describeGroups(tools, names, options)));
  groups
    .command('lag')
    .description('messages that groups have still to read, by topic')
    .argument('[group...]', 'groups or consumers; those with CONSUMER_GROUP_PREFIX without any')
    .option('--max <messages>', 'exit with 2 if a group has more to read than this')
    .option('--json', 'one line of JSON')
    .action((names: string[], options: LagOptions) => run((tools) => groupLag(tools, names, options)));
  groups.addCommand(resetCommand(run));
  return groups.addHelpText('after', exitCodesHelp);
}

function resetCommand(run: Run): Command {
  return new Command('reset')
    .description('set a group back or forward; a dry run unless --execute. The group must not be running')
    .argument('<group>', 'a group, or a consumer of Signalbox (audit-log)')
    .addOption(
      new Option('--to-earliest', 'to the first message that is still there').conflicts(others('toEarliest')),
    )
    .addOption(
      new Option('--to-latest', 'to the end: what waits is never read').conflicts(others('toLatest')),
    )
    .addOption(new Option('--to-offset <offset>', 'to this offset').conflicts(others('toOffset')))
    .addOption(
      new Option(
        '--to-datetime <time>',
        'to the first message from a time on: 2026-01-05T19:00:00Z, or 2h, 3d ago',
      ).conflicts(others('toDatetime')),
    )
    .option(
      '--topic <topic>',
      'an event type or topic, with partitions if need be: patient.created:0,2; may be repeated',
      (value: string, earlier: string[]) => [...earlier, value],
      [],
    )
    .option('--all-topics', 'every topic that the group has read')
    .option(
      '--force-reprocess <consumer>',
      "have this consumer process again what its inbox knows; it must be the group's own",
    )
    .option('--execute', 'change it; without it, only say what would be changed')
    .option('--json', 'one line of JSON')
    .addHelpText('after', resetHelp)
    .action((group: string, options: ResetOptions) => run((tools) => resetGroup(tools, group, options)));
}

const targets = ['toEarliest', 'toLatest', 'toOffset', 'toDatetime'];
const others = (name: string): string[] => targets.filter((target) => target !== name);

const resetHelp = `
A consumer of Signalbox passes over events that its inbox knows, also after a reset. --force-reprocess forgets the
events between the new and the old place, for that consumer alone, so that their effects happen again.

Examples:
  npx signalbox ops groups reset audit-log --to-earliest --all-topics
  npx signalbox ops groups reset audit-log --to-offset 100 --topic patient.created:0 --execute
  npx signalbox ops groups reset audit-log --to-datetime 2h --topic 'appointment.*' --force-reprocess audit-log --execute
${exitCodesHelp}`;
