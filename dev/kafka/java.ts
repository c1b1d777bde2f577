import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** Kafka 4's broker is compiled for this version. */
const oldestJava = 17;

export type Finding<T> = { readonly found: T } | { readonly missing: string };

/** The `java` to run Kafka with: JAVA_HOME's, else the one on the PATH. */
export async function findJava(env: NodeJS.ProcessEnv): Promise<Finding<string>> {
  const java = env['JAVA_HOME'] ? join(env['JAVA_HOME'], 'bin', 'java') : 'java';
  try {
    const { stderr } = await run(java, ['-version']);
    const version = readJavaVersion(stderr);
    if (version === undefined) return { missing: `${java} -version gave no version` };
    return version >= oldestJava
      ? { found: java }
      : { missing: `${java} is Java ${version}, older than ${oldestJava}` };
  } catch (error) {
    return { missing: `${java} can't be run (${firstLine(error)})` };
  }
}

/** The major version in what `java -version` prints: 17 for "17.0.15", 8 for "1.8.0_392". */
export function readJavaVersion(output: string): number | undefined {
  const [, major, minor] = /version "(\d+)(?:\.(\d+))?/.exec(output) ?? [];
  if (major === undefined) return undefined;
  return major === '1' && minor !== undefined ? Number(minor) : Number(major);
}

export function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
}
