import { resolve } from 'node:path';

const compiled = resolve(__dirname, '..');

/**
 * What Node is started with for a program: `relay`, with HealthCore's configuration, or a source file without extension,
 * e.g. `src/api/main`.
 */
export function compiledProgram(program: string): string[] {
  if (program !== 'relay') return [resolve(compiled, `${program}.js`)];
  return [
    resolve(compiled, 'src/cli/main.js'),
    '--config',
    resolve(compiled, 'signalbox.config.js'),
    program,
  ];
}
