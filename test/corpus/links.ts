import type { Aggregate } from '../../src/events/aggregate';
import type { Catalogue } from '../../src/events/catalogue';
import type { JoinTable } from '../../src/outbox/prisma/schema/joinTables';
import { readTables } from '../../src/outbox/prisma/schema/tables';
import type { TestConnection } from '../integration/trigger/support';
import { textOf } from './difference';

/** An implicit many-to-many relation, seen from one side. */
export interface LinkedRelation {
  readonly aggregate: Aggregate;
  readonly relation: string;
  readonly join: JoinTable;
}

/** The rows of each relation's table, as texts. */
export type LinksSnapshot = ReadonlyMap<LinkedRelation, ReadonlySet<string>>;

export function linksOf(schema: string, { aggregates }: Catalogue): LinkedRelation[] {
  const tables = readTables(schema);
  return aggregates.flatMap((aggregate) =>
    [...(tables.get(aggregate.model)?.joins ?? [])].map(([relation, join]) => ({
      aggregate,
      relation,
      join,
    })),
  );
}

export async function takeLinks(
  db: TestConnection,
  links: readonly LinkedRelation[],
): Promise<LinksSnapshot> {
  const found = new Map<LinkedRelation, ReadonlySet<string>>();
  for (const link of links) {
    const { name, own, other } = link.join;
    const rows = await db.run<{ pair: string }>(
      `SELECT json_build_array("${own}"::text, "${other}"::text)::text AS pair FROM "${name}"`,
    );
    found.set(link, new Set(rows.map(({ pair }) => pair)));
  }
  return found;
}

/** What the outbox has to say of pairs that came and went. */
export function expectedLinks(
  links: readonly LinkedRelation[],
  before: LinksSnapshot,
  after: LinksSnapshot,
): string[] {
  return links.flatMap((link) => {
    const [was, is] = [before.get(link) ?? new Set<string>(), after.get(link) ?? new Set<string>()];
    return [
      ...[...is].filter((pair) => !was.has(pair)).map((pair) => eventOf(link, 'linked', pair)),
      ...[...was].filter((pair) => !is.has(pair)).map((pair) => eventOf(link, 'unlinked', pair)),
    ];
  });
}

function eventOf({ aggregate, relation }: LinkedRelation, what: string, pair: string): string {
  const [own = '', other = ''] = JSON.parse(pair) as string[];
  const eventType = `${aggregate.type}.${relation}.${what}`;
  const rule = aggregate.events[eventType];
  if (!rule || !('other' in rule)) throw new Error(`There is no rule for ${eventType}`);
  const key = aggregate.fields[String(aggregate.key)];
  const wire = (kind: string | undefined, text: string): unknown => (kind === 'int' ? Number(text) : text);
  return textOf({
    eventType,
    aggregateId: own,
    data: { [key?.as ?? '']: wire(key?.kind, own), [rule.other.as]: wire(rule.other.kind, other) },
  });
}
