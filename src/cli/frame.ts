import type { Readable, Writable } from 'node:stream';
import { runCommand } from '../shared/commandLine';
import { type Environment, warnOfUnknown } from '../shared/config/load';
import type { Logger } from '../shared/logger';
import { runProgram } from '../shared/program';
import { loadConfigFile } from './config/load';
import { type Project, projectOf } from './project';

/** What the commands of `signalbox` have in common: where they run, and how they begin and end. */
export interface Frame {
  readonly directory: string;
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Loads the project's configuration. @throws UserError that says what is wrong with it. */
  project(): Promise<Project>;
  /** Runs a server until a signal: it logs JSON, and exits with what `main` resolves to. */
  serve(name: string, main: (logger: Logger, project: Project) => Promise<number>): Promise<void>;
  /** Runs a command that ends: standard output is its result alone. */
  run(name: string, main: (logger: Logger, project: Project) => Promise<number>): Promise<void>;
}

export interface FrameOptions {
  readonly directory: string;
  readonly environment: Environment;
  /** The file of the configuration, if --config names one. */
  readonly configFile: string | undefined;
}

/** The frame of this process. */
export function createFrame({ directory, environment, configFile }: FrameOptions): Frame {
  let loading: Promise<Project> | undefined;
  const load = async (): Promise<Project> =>
    projectOf(directory, await loadConfigFile(directory, configFile), environment);
  const project = (): Promise<Project> => (loading ??= load());
  const inProject =
    (main: (logger: Logger, project: Project) => Promise<number>) =>
    async (logger: Logger): Promise<number> => {
      const found = await project();
      warnOfUnknown(logger, environment, found.config.variables);
      return main(logger, found);
    };
  return {
    directory,
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    project,
    serve: (name, main) => runProgram(name, environment, inProject(main)),
    run: (name, main) => runCommand(name, inProject(main)),
  };
}
