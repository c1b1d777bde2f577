import type { TestConnection } from '../integration/trigger/support';
import type { Aggregate } from '../../src/events/aggregate';
import type { Catalogue } from '../../src/events/catalogue';
import { mapChanges, type MappedEvent, type Row } from '../../src/outbox/mapping';
import { type CorpusClient, delegateOf } from './corpus';

/** The rows of all captured models, as a client without capture reads them. */
export type RowsSnapshot = ReadonlyMap<Aggregate, readonly Row[]>;

export async function takeSnapshot(client: CorpusClient, catalogue: Catalogue): Promise<RowsSnapshot> {
  const rows = new Map<Aggregate, readonly Row[]>();
  for (const aggregate of catalogue.aggregates)
    rows.set(aggregate, (await delegateOf(client, aggregate.model)['findMany']?.()) as Row[]);
  return rows;
}

/** What the outbox has to say of the difference, in no order: rows before and after are all that is known. */
export function expectedEvents(before: RowsSnapshot, after: RowsSnapshot): string[] {
  return [...after].flatMap(([aggregate, rows]) =>
    mapChanges(aggregate, before.get(aggregate) ?? [], rows).map(textOf),
  );
}

/** What it has said since the last call. */
export async function saidEvents(outbox: TestConnection): Promise<string[]> {
  return (await outbox.events()).map((row) =>
    textOf({ eventType: row.event_type, aggregateId: row.aggregate_id, data: row.data }),
  );
}

export const textOf = ({
  eventType,
  aggregateId,
  data,
}: Pick<MappedEvent, 'eventType' | 'aggregateId' | 'data'>): string =>
  `${eventType} ${aggregateId} ${JSON.stringify(data)}`;
