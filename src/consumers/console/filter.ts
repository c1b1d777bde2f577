import type { MessageView } from './view';

/** A condition on a field of a message, e.g. `data.status=CANCELLED`. */
export interface Filter {
  readonly path: readonly string[];
  readonly negated: boolean;
  readonly value: string;
}

/** Reads `path=value` or `path!=value`; undefined for anything else. */
export function parseFilter(text: string): Filter | undefined {
  const match = /^([^=!\s]+)(!?=)(.*)$/s.exec(text);
  if (!match) return undefined;
  const [, path = '', operator, value = ''] = match;
  return { path: path.split('.'), negated: operator === '!=', value };
}

/**
 * Whether all conditions hold. A path starts at the event, or at `kafka` for what Kafka says of the message
 * (`kafka.partition=0`). A field that is missing equals nothing.
 */
export function matches(view: MessageView, filters: readonly Filter[]): boolean {
  return filters.every(({ path, negated, value }) => {
    const found = path[0] === 'kafka' ? lookUp(view, path) : lookUp(view.decoded, path);
    return (found === value) !== negated;
  });
}

function lookUp(root: unknown, path: readonly string[]): string | undefined {
  let current = root;
  for (const name of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, name)) return undefined;
    current = (current as Record<string, unknown>)[name];
  }
  return typeof current === 'object' && current !== null ? JSON.stringify(current) : String(current);
}
