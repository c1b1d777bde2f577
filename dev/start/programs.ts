import { join } from 'node:path';
import type { NodeProgram } from './nodeProgram';
import type { Readiness } from './readiness';
import type { Settings } from './settings';

/** What differs between our programs; see nodeProgram.ts for what they share. */
export type Program = Pick<NodeProgram, 'name' | 'flags' | 'program' | 'args' | 'readiness'>;

/** Where the compiled programs are: this file is in dev/start of the same tree. */
const compiled = join(__dirname, '../..');

/**
 * One developer's traffic needs little, so memory is worth more than speed. V8 lets the young generation grow to three
 * times the semi-space before it cleans up; Prisma's query compiler is WebAssembly, whose optimised machine code takes
 * some 25 MB in each program that writes. A bounded old generation makes a leak visible early.
 */
const memory = (oldSpaceMb: number): string[] => [
  `--max-old-space-size=${oldSpaceMb}`,
  '--max-semi-space-size=2',
  '--liftoff-only',
];

const leash = ['--require', join(__dirname, 'leash.js')];

export function brokerProgram(port: number, dataDir: string): Program {
  const host = '127.0.0.1';
  return {
    name: 'broker',
    flags: [...memory(256), ...leash],
    program: join(compiled, 'dev/broker/main.js'),
    args: ['--host', host, '--port', String(port), '--data-dir', dataDir],
    readiness: { port, host },
  };
}

/**
 * The service's own programs, in the order in which they start: who reads from Kafka comes after the relay, which
 * creates the topics. `forPeople`: the console need not speak JSON.
 */
export function servicePrograms(settings: Settings, forPeople: boolean): Program[][] {
  const host = settings.HOST === '0.0.0.0' || settings.HOST === '::' ? '127.0.0.1' : settings.HOST;
  const readyz = (port: number): Readiness => ({ url: `http://${host}:${port}/readyz` });
  const program = (name: string, file: string, readiness: Readiness, args: string[] = []): Program => ({
    name,
    flags: [...memory(192), ...leash],
    program: join(compiled, file),
    args,
    readiness,
  });
  const config = join(compiled, 'signalbox.config.js');
  const signalbox = (name: string, readiness: Readiness, args: string[] = []): Program =>
    program(name, 'src/cli/main.js', readiness, ['--config', config, name, ...args]);
  const api = program('api', 'src/api/main.js', readyz(settings.PORT));
  const relay = signalbox('relay', readyz(settings.RELAY_PORT));
  const consumers = signalbox('consumers', readyz(settings.CONSUMERS_PORT));
  const consoleArgs = ['--wait', '--format', forPeople ? 'pretty' : 'json'];
  const console = signalbox('console', { line: /^Listening/ }, consoleArgs);
  // Without Kafka nobody creates the topics that the console would wait for.
  return [[api, relay], settings.KAFKA_ENABLED ? [consumers, console] : [consumers]];
}

/** All names that stand before lines of the log. */
export const partNames = ['signalbox', 'postgres', 'broker', 'api', 'relay', 'consumers', 'console'];
