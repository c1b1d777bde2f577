import { Command } from 'commander';
import { runCommand } from '../shared/commandLine';
import type { Run } from './command';
import { dlqCommand } from './dlq/command';
import { doctorCommand } from './doctor/command';
import { eraseCommand } from './erase/command';
import { groupsCommand } from './groups/command';
import { outboxCommand } from './outbox/command';
import { postponedCommand } from './postponed/command';
import { topicsCommand } from './topics/command';

const run: Run = (action) =>
  runCommand('ops', process.env, (logger) =>
    action({ environment: process.env, logger, stdout: process.stdout, stderr: process.stderr }),
  );

const ops = new Command('npm run ops --')
  .description('Looks after the outbox and what is in Kafka. Environment variables configure it.')
  .addCommand(outboxCommand(run))
  .addCommand(topicsCommand(run))
  .addCommand(groupsCommand(run))
  .addCommand(dlqCommand(run))
  .addCommand(postponedCommand(run))
  .addCommand(eraseCommand(run))
  .addCommand(doctorCommand(run));

void ops.parseAsync();
