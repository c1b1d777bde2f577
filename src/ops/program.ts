import { Command } from 'commander';
import { kafkaCommand } from './cluster/command';
import type { Run } from './command';
import { dlqCommand } from './dlq/command';
import { doctorCommand } from './doctor/command';
import { eraseCommand } from './erase/command';
import { groupsCommand } from './groups/command';
import { outboxCommand } from './outbox/command';
import { postponedCommand } from './postponed/command';
import { topicsCommand } from './topics/command';

/** The ops command with all of its sub-commands; `run` is the frame in which their actions run. */
export function opsProgram(run: Run): Command {
  return new Command('ops')
    .description('Looks after the outbox and what is in Kafka. Environment variables configure it.')
    .addCommand(outboxCommand(run))
    .addCommand(topicsCommand(run))
    .addCommand(groupsCommand(run))
    .addCommand(dlqCommand(run))
    .addCommand(postponedCommand(run))
    .addCommand(eraseCommand(run))
    .addCommand(kafkaCommand(run))
    .addCommand(doctorCommand(run));
}
