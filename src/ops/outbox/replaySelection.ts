import type { Catalogue } from '../../events/catalogue';
import type { ReplaySelection } from '../../outbox/log/replayable';
import { UserError } from '../../shared/lifecycle';
import { parseTime } from '../parseTime';
import { parseEventRefs, parseSequence } from './eventRefs';

export interface SelectionOptions {
  readonly aggregate?: string;
  readonly type?: readonly string[];
  readonly since?: string;
  readonly until?: string;
  readonly after?: string;
  readonly all?: boolean;
}

/**
 * What the arguments of `ops outbox replay` ask for. Conditions narrow each other down.
 * @throws UserError when one can't be read, or none is given without --all.
 */
export function parseSelection(
  catalogue: Catalogue,
  refs: readonly string[],
  { aggregate, type, since, until, after = '0', all = false }: SelectionOptions,
  upTo: string,
): ReplaySelection {
  const limits = [aggregate, since, until, ...(type ?? []), ...refs];
  if (!all && limits.every((limit) => limit === undefined)) {
    throw new UserError(
      'Say what: events by id or sequence, --aggregate, --type, --since, --until, or --all.',
    );
  }
  return {
    ...(refs.length > 0 ? parseEventRefs(refs) : {}),
    ...(aggregate === undefined ? {} : { aggregate: parseAggregate(aggregate) }),
    ...(type === undefined ? {} : { eventTypes: type.map((name) => parseType(catalogue, name)) }),
    ...(since === undefined ? {} : { since: new Date(parseTime(since, '--since')) }),
    ...(until === undefined ? {} : { until: new Date(parseTime(until, '--until')) }),
    after: parseSequence('--after', after),
    upTo,
  };
}

function parseAggregate(text: string): { type: string; id: string } {
  const slash = text.indexOf('/');
  if (slash > 0 && slash < text.length - 1) return { type: text.slice(0, slash), id: text.slice(slash + 1) };
  throw new UserError(
    `--aggregate "${text}" names none. Write it as patient/550e8400-e29b-41d4-a716-446655440000.`,
  );
}

function parseType(catalogue: Catalogue, type: string): string {
  if (catalogue.find(type)) return type;
  throw new UserError(`--type "${type}" is not an event type of the catalogue.`);
}
