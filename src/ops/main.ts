import { runCommand } from '../shared/commandLine';
import { opsProgram } from './program';

const program = opsProgram((action) =>
  runCommand('ops', process.env, (logger) =>
    action({ environment: process.env, logger, stdout: process.stdout, stderr: process.stderr }),
  ),
);

void program.parseAsync();
