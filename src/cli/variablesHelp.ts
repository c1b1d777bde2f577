import type { z } from 'zod';

/** The lines of a command's help that list the environment variables that it reads. */
export function variablesHelp(variables: z.ZodRawShape): string {
  const entries = Object.entries(variables) as [string, z.ZodType][];
  const width = Math.max(...entries.map(([variable]) => variable.length));
  const lines = entries.map(
    ([variable, schema]) => `  ${variable.padEnd(width)}  ${schema.description ?? ''}${defaultOf(schema)}`,
  );
  return `\nEnvironment variables (a .env file is read too):\n${lines.join('\n')}`;
}

function defaultOf(schema: z.ZodType): string {
  const parsed = schema.safeParse(undefined);
  return parsed.success && parsed.data !== undefined ? ` (default ${JSON.stringify(parsed.data)})` : '';
}
