#!/usr/bin/env node
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { packageRoot } from '../shared/packageRoot';
import { createFrame } from './frame';
import { signalbox } from './program';

function ownVersion(): string {
  const manifest = readFileSync(path.join(packageRoot(), 'package.json'), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}

/** What decides what is loaded, before the program is there that parses all arguments. */
function peek(args: readonly string[]): { readonly command?: string; readonly configFile?: string } {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { config: { type: 'string' } },
    allowPositionals: true,
    strict: false,
  });
  const [first, second] = positionals;
  const command = first === 'help' ? second : first;
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
