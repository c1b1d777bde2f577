#!/usr/bin/env node
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { createFrame } from './frame';
import { signalbox } from './program';

/** The version in the package.json of this package, whether this runs compiled from dist/ or as installed. */
function ownVersion(): string {
  for (let folder = __dirname; ; folder = path.dirname(folder)) {
    const file = path.join(folder, 'package.json');
    if (existsSync(file)) return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
    if (folder === path.dirname(folder)) return 'unknown';
  }
}

/** What decides what is loaded, before the program is there that parses all arguments. */
function peek(args: readonly string[]): { readonly command?: string; readonly configFile?: string } {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { config: { type: 'string' } },
    allowPositionals: true,
    strict: false,
  });
  const [command] = positionals;
  return {
    ...(command === undefined ? {} : { command }),
    ...(typeof values['config'] === 'string' ? { configFile: values['config'] } : {}),
  };
}

async function main(): Promise<void> {
  // Before the configuration, which may read variables itself.
  if (existsSync('.env')) process.loadEnvFile('.env');
  const { command, configFile } = peek(process.argv.slice(2));
  const frame = createFrame({ directory: process.cwd(), environment: process.env, configFile });
  const program = await signalbox(frame, command, ownVersion());
  await program.parseAsync();
}

void main();
