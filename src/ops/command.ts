import type { Writable } from 'node:stream';
import type { Environment } from '../shared/config/load';
import type { Logger } from '../shared/logger';
import type { ProgressStream } from './output/progress';

/** What every command works with. */
export interface Tools {
  readonly environment: Environment;
  /** For what goes wrong; results go to `stdout`. */
  readonly logger: Logger;
  readonly stdout: Writable;
  /** For progress, on a terminal. */
  readonly stderr: ProgressStream;
}

/** Runs a command's action in the frame of a program; what it resolves to is the exit code. */
export type Run = (action: (tools: Tools) => Promise<number>) => Promise<void>;
