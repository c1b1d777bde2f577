import type { z } from 'zod';

/**
 * The lines of a command's help that list the environment variables that it reads.
 * @param defaults What the project's configuration says where they are not set.
 */
export function variablesHelp(
  variables: z.ZodRawShape,
  defaults: Readonly<Record<string, string>> = {},
): string {
  const entries = Object.entries(variables) as [string, z.ZodType][];
  const width = Math.max(...entries.map(([variable]) => variable.length));
  const lines = entries.map(
    ([variable, schema]) =>
      `  ${variable.padEnd(width)}  ${schema.description ?? ''}${defaultOf(schema, defaults[variable])}`,
  );
  return `\nEnvironment variables (a .env file is read too):\n${lines.join('\n')}`;
}

function defaultOf(schema: z.ZodType, given: string | undefined): string {
  const { data } = schema.safeParse(given);
  return data === undefined ? '' : ` (default ${JSON.stringify(data)})`;
}
