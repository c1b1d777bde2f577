/*
 * Where the package keeps events, and how they are erased there. An event is the subject's when it is of one of its
 * aggregates (a command is of the aggregate that it is about) or names the subject.
 */
import type { EraseEvent, ErasureConnection, ErasurePlace, Subject } from './subject';
import { eraseEvents, type StoredEvent } from './eraseEvents';

/** The parameters of a condition that picks what is the subject's; `data` is an SQL expression of type json. */
const parametersOf = ({ id, dataField, aggregates }: Subject): unknown[] => [
  aggregates.map(({ type }) => type),
  aggregates.map((aggregate) => aggregate.id),
  id,
  dataField,
];
const ofSubject = (data: string): string =>
  `(("aggregate_type", "aggregate_id") IN (SELECT * FROM unnest($1::text[], $2::text[]))
    OR lower(${data}->>$4::text) = lower($3::text))`;

/** The outbox, events that are still to be published included: they go out erased. */
async function eraseOutbox(
  client: ErasureConnection,
  subject: Subject,
  eraseEvent: EraseEvent,
): Promise<number> {
  const { rows } = await client.query<StoredEvent<string>>(
    `SELECT "lane" || '/' || "position" AS key, "event_type" AS "eventType", "data"
     FROM "signalbox"."outbox" WHERE ${ofSubject('"data"')} FOR UPDATE`,
    parametersOf(subject),
  );
  return eraseEvents(eraseEvent, rows, (key, data) =>
    client.query(
      `UPDATE "signalbox"."outbox" SET "data" = $2::json
       WHERE "lane" = split_part($1, '/', 1)::smallint AND "position" = split_part($1, '/', 2)::bigint`,
      [key, data],
    ),
  );
}

/** Events that consumers have put off: whole messages. A command among them has expired by this. */
async function erasePostponed(
  client: ErasureConnection,
  subject: Subject,
  eraseEvent: EraseEvent,
): Promise<number> {
  const { rows } = await client.query<{ consumer: string; eventId: string; value: Buffer }>(
    `SELECT "consumer", "event_id"::text AS "eventId", "value" FROM "signalbox"."postponed_event"
     WHERE ${ofSubject(`(convert_from("value", 'UTF8')::json->'data')`)} FOR UPDATE`,
    parametersOf(subject),
  );
  const events = rows.map(({ consumer, eventId, value }) => {
    const envelope = JSON.parse(value.toString()) as {
      event_type: string;
      data: StoredEvent<string>['data'];
    };
    return { key: { consumer, eventId, envelope }, eventType: envelope.event_type, data: envelope.data };
  });
  return eraseEvents(eraseEvent, events, ({ consumer, eventId, envelope }, data) =>
    client.query(
      `UPDATE "signalbox"."postponed_event" SET "value" = $3 WHERE "consumer" = $1 AND "event_id" = $2::uuid`,
      [consumer, eventId, Buffer.from(JSON.stringify({ ...envelope, data: JSON.parse(data) as unknown }))],
    ),
  );
}

/** Where the package itself keeps events. */
export const ownPlaces: readonly ErasurePlace[] = [
  { name: 'outbox', erase: eraseOutbox },
  { name: 'postponed_events', erase: erasePostponed },
];
