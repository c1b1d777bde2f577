import type { Writable } from 'node:stream';
import type { Catalogue } from '../events/catalogue';
import type { z } from 'zod';
import type { Environment } from '../shared/config/load';
import type { Logger } from '../shared/logger';
import type { ErasureSubject } from './erase/subject';
import type { ProgressStream } from './output/progress';

/** What every command works with. */
export interface Tools {
  /** Which events there are. */
  readonly catalogue: Catalogue;
  /** Whose data `erase` erases. */
  readonly erasure: readonly ErasureSubject[];
  /** The project's own environment variables. */
  readonly variables: z.ZodRawShape;
  /** The Prisma schema: its file, or the folder of its files. */
  readonly schema: string;
  /** The folder of migrations. */
  readonly migrations: string;
  readonly environment: Environment;
  /** For what goes wrong; results go to `stdout`. */
  readonly logger: Logger;
  readonly stdout: Writable;
  /** For progress, on a terminal. */
  readonly stderr: ProgressStream;
}

/** Runs a command's action in the frame of a program; what it resolves to is the exit code. */
export type Run = (action: (tools: Tools) => Promise<number>) => Promise<void>;
