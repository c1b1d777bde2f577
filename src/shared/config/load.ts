import { z } from 'zod';
import { allVariables } from './variables';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The configuration cannot be used. The message lists every problem, one a line, and never a secret's value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(readonly problems: readonly string[]) {
    super(
      `The configuration has ${problems.length} problem${problems.length === 1 ? '' : 's'}:\n  ${problems.join('\n  ')}`,
    );
  }
}

/**
 * Reads the variables of `shape` from the environment, applying defaults. An empty value counts as unset.
 * @throws ConfigError with all problems at once.
 */
export function loadConfig<S extends z.ZodRawShape>(
  shape: S,
  environment: Environment,
): z.output<z.ZodObject<S>> {
  const given = Object.fromEntries(
    Object.keys(shape)
      .map((name) => [name, environment[name]] as const)
      .filter(([, value]) => value !== undefined && value !== ''),
  );
  const result = z.object(shape).safeParse(given);
  if (result.success) return result.data;
  throw new ConfigError(
    result.error.issues.map((issue) => {
      const name = String(issue.path[0]);
      if (!(name in given)) return `${name} is not set: ${descriptionOf(name)}`;
      return `${name}${shown(name, given[name])}: ${issue.message}`;
    }),
  );
}

/** Names that look like ours but are none: most likely a misspelling that would go unnoticed. */
export function unknownVariables(environment: Environment): string[] {
  return Object.keys(environment)
    .filter((name) => /^(KAFKA|OUTBOX|RELAY|REMINDER|SMTP)_/.test(name) && !(name in allVariables))
    .sort();
}

function descriptionOf(name: string): string {
  const variable = (allVariables as Record<string, z.ZodType>)[name];
  return variable?.description ?? 'required';
}

/** Connection strings and passwords stay out of logs and terminals. */
function shown(name: string, value: unknown): string {
  return /URL|PASSWORD|SECRET|TOKEN/.test(name) ? '' : `="${String(value)}"`;
}
