import { catalogue } from '../healthcore/catalogue';
import { createPrismaClient } from '../healthcore/createPrismaClient';
import type { AdapterOptions } from '../outbox/prisma/adapter/createAdapter';
import { runCommand } from '../shared/commandLine';
import { opsProgram } from './program';

/** Without comments: nothing is written with it. */
const createClient = (options: AdapterOptions) => createPrismaClient({ ...options, comments: [] });

const program = opsProgram((action) =>
  runCommand('ops', process.env, (logger) =>
    action({
      catalogue,
      createClient,
      environment: process.env,
      logger,
      stdout: process.stdout,
      stderr: process.stderr,
    }),
  ),
);

void program.parseAsync();
