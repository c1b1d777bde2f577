import { Command } from 'commander';
import { runProgram } from '../shared/program';
import type { Run } from './command';
import { outboxCommand } from './outbox/command';

const run: Run = (action) =>
  runProgram('ops', process.env, (logger) =>
    action({ environment: process.env, logger, stdout: process.stdout, stderr: process.stderr }),
  );

const ops = new Command('npm run ops --')
  .description('Looks after the outbox and what is in Kafka. Environment variables configure it.')
  .addCommand(outboxCommand(run));

void ops.parseAsync();
