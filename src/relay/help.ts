import { Command } from 'commander';
import type { z } from 'zod';

/** A command that takes no arguments and whose help lists the environment variables that it reads. */
export function describeProgram(name: string, description: string, variables: z.ZodRawShape): Command {
  const entries = Object.entries(variables) as [string, z.ZodType][];
  const width = Math.max(...entries.map(([variable]) => variable.length));
  const lines = entries.map(
    ([variable, schema]) => `  ${variable.padEnd(width)}  ${schema.description ?? ''}${defaultOf(schema)}`,
  );
  return new Command(name)
    .description(description)
    .allowExcessArguments(false)
    .addHelpText('after', `\nEnvironment variables (a .env file is read too):\n${lines.join('\n')}`);
}

function defaultOf(schema: z.ZodType): string {
  const parsed = schema.safeParse(undefined);
  return parsed.success && parsed.data !== undefined ? ` (default ${JSON.stringify(parsed.data)})` : '';
}
