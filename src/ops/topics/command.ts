import { Command, Option } from 'commander';
import { exitCodesHelp } from '../exitCodes';
import type { Run } from '../command';
import { applyTopics, type ApplyOptions } from './apply';
import { createTopics } from './create';
import { describeTopics, type DescribeOptions } from './describe';
import { listTopics, type ListOptions } from './list';

/** `ops topics …`: the topics that Signalbox declares, compared with those of the cluster. */
export function topicsCommand(run: Run): Command {
  const topics = new Command('topics').description('topics: as declared, and as the cluster has them');
  topics
    .command('list')
    .description('the declared topics and whether the cluster has them as declared')
    .option('--all', 'other topics of the cluster too')
    .option('--json', 'one line of JSON')
    .action((options: ListOptions) => run((tools) => listTopics(tools, options)));
  topics
    .command('describe')
    .description('partitions, replicas, offsets and settings')
    .argument(
      '[topic...]',
      'event types (patient.created, patient.*) or topics; all declared ones without any',
    )
    .option('--json', 'one line of JSON')
    .action((names: string[], options: DescribeOptions) =>
      run((tools) => describeTopics(tools, names, options)),
    );
  topics
    .command('create')
    .description('create the declared topics that are missing; the others stay as they are')
    .option('--json', 'one line of JSON')
    .action((options: { json?: boolean }) => run((tools) => createTopics(tools, options)));
  topics
    .command('apply')
    .description(
      'create missing topics and set settings as declared; a dry run unless --execute (exit code 2 if there is a difference)',
    )
    .option('--execute', 'change it; without it, only say what would be changed')
    .option('--allow-data-loss', 'also make changes by which Kafka deletes messages that it keeps now')
    // What it was called when the command took effect by itself.
    .addOption(new Option('--dry-run').conflicts('execute').hideHelp())
    .option('--add-partitions', 'also add partitions where there are fewer than declared (moves keys)')
    .option('--json', 'one line of JSON')
    .addHelpText('after', applyHelp)
    .action((options: ApplyOptions) => run((tools) => applyTopics(tools, options)));
  return topics.addHelpText('after', exitCodesHelp);
}

const applyHelp = `
The KAFKA_TOPIC_* variables, KAFKA_REPLICATION_FACTOR and KAFKA_MAX_MESSAGE_BYTES are the declaration.
A retention is asked for only where KAFKA_TOPIC_RETENTION_MS is set; a shorter one, and the cleanup policy "delete" in
place of "compact", need --allow-data-loss. Partitions are never taken away and replicas never moved. Adding partitions sends later events of an aggregate to
another partition than its earlier ones: let the consumers catch up first, with the relays stopped.
${exitCodesHelp}`;
