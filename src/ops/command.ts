import type { Writable } from 'node:stream';
import type { Catalogue } from '../events/catalogue';
import type { AdapterOptions } from '../outbox/prisma/adapter/createAdapter';
import type { PrismaClientLike } from '../outbox/prisma/captured';
import type { Environment } from '../shared/config/load';
import type { Logger } from '../shared/logger';
import type { ProgressStream } from './output/progress';

/** What every command works with. */
export interface Tools {
  /** Which events there are. */
  readonly catalogue: Catalogue;
  /** Makes a Prisma client of the application's, which knows its schema. */
  readonly createClient: (options: AdapterOptions) => PrismaClientLike;
  readonly environment: Environment;
  /** For what goes wrong; results go to `stdout`. */
  readonly logger: Logger;
  readonly stdout: Writable;
  /** For progress, on a terminal. */
  readonly stderr: ProgressStream;
}

/** Runs a command's action in the frame of a program; what it resolves to is the exit code. */
export type Run = (action: (tools: Tools) => Promise<number>) => Promise<void>;
