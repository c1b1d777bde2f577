import { z } from 'zod';
import type { Logger } from '../logger';
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
      if (!(name in given)) return `${name} is not set: ${descriptionOf(shape[name])}`;
      return `${name}${shown(name, given[name])}: ${issue.message}`;
    }),
  );
}

/**
 * Names that look like known ones but are not: most likely a misspelling that would go unnoticed.
 * @param own Variables of the project's own: names that begin as theirs do are looked at, too.
 */
export function unknownVariables(environment: Environment, own: z.ZodRawShape = {}): string[] {
  const prefixes = new Set(['KAFKA_', 'OUTBOX_', 'RELAY_', ...Object.keys(own).flatMap(prefixOf)]);
  return Object.keys(environment)
    .filter((name) => prefixOf(name).some((prefix) => prefixes.has(prefix)))
    .filter((name) => !(name in allVariables) && !(name in own))
    .sort();
}

/** Warns of each variable that looks misspelt; `own` are the project's own. */
export function warnOfUnknown(logger: Logger, environment: Environment, own?: z.ZodRawShape): void {
  for (const variable of unknownVariables(environment, own))
    logger.warn({ variable }, `${variable} is set but not known; is it misspelt?`);
}

/** `SMTP_` of SMTP_URL; empty for a name of one word. */
const prefixOf = (name: string): string[] => /^[A-Z]+_/.exec(name)?.slice() ?? [];

const descriptionOf = (variable: unknown): string =>
  (variable as z.ZodType | undefined)?.description ?? 'required';

/** Connection strings and passwords stay out of logs and terminals. */
function shown(name: string, value: unknown): string {
  return /URL|PASSWORD|SECRET|TOKEN/.test(name) ? '' : `="${String(value)}"`;
}
