/*
 * Where a person's data may lie in the database, and how they are erased there. An event is the subject's when it is of one
 * of its aggregates (a command is of the aggregate that it is about) or names the patient.
 */
import { isDeepStrictEqual } from 'node:util';
import type { ClientBase } from 'pg';
import type { Catalogue } from '../../events/catalogue';
import { eraseData } from '../../events/eraseData';
import type { Subject } from './subject';

export type Client = Pick<ClientBase, 'query'>;
type Data = Record<string, unknown>;

interface StoredEvent {
  readonly key: string;
  readonly eventType: string;
  readonly data: Data;
}

const ofSubject = `("aggregate_id" = ANY ($1::text[]) OR lower("data"->>'patient_id') = $2::text)`;

/** The outbox, events that are still to be published included: they go out erased. */
export async function eraseOutbox(
  client: Client,
  { aggregateIds, patientId }: Subject,
  catalogue: Catalogue,
): Promise<number> {
  const { rows } = await client.query<StoredEvent>(
    `SELECT "lane" || '/' || "position" AS key, "event_type" AS "eventType", "data"
     FROM "signalbox"."outbox" WHERE ${ofSubject} FOR UPDATE`,
    [aggregateIds, patientId],
  );
  return rewrite(catalogue, rows, (key, data) =>
    client.query(
      `UPDATE "signalbox"."outbox" SET "data" = $2::json
       WHERE "lane" = split_part($1, '/', 1)::smallint AND "position" = split_part($1, '/', 2)::bigint`,
      [key, data],
    ),
  );
}

/** The audit log: that something was done, by whom and when, stays. Its trigger lets only an erasure change a row. */
export async function eraseAuditLog(
  client: Client,
  { aggregateIds, patientId }: Subject,
  catalogue: Catalogue,
): Promise<number> {
  await client.query(`SELECT set_config('signalbox.erasing', 'on', true)`);
  const { rows } = await client.query<StoredEvent>(
    `SELECT "event_id"::text AS key, "event_type" AS "eventType", "data"
     FROM "audit_log" WHERE ${ofSubject} FOR UPDATE`,
    [aggregateIds, patientId],
  );
  return rewrite(catalogue, rows, (key, data) =>
    client.query(`UPDATE "audit_log" SET "data" = $2::jsonb WHERE "event_id" = $1::uuid`, [key, data]),
  );
}

/** Events that consumers have put off: whole messages. A command among them has expired by this. */
export async function erasePostponed(
  client: Client,
  { aggregateIds, patientId }: Subject,
  catalogue: Catalogue,
): Promise<number> {
  const { rows } = await client.query<{ consumer: string; eventId: string; value: Buffer }>(
    `SELECT "consumer", "event_id"::text AS "eventId", "value" FROM "signalbox"."postponed_event"
     WHERE "aggregate_id" = ANY ($1::text[]) OR position(convert_to($2::text, 'UTF8') IN "value") > 0 FOR UPDATE`,
    [aggregateIds, patientId],
  );
  const events = rows.map(({ consumer, eventId, value }) => {
    const envelope = JSON.parse(value.toString()) as { event_type: string; data: Data };
    return { key: { consumer, eventId, envelope }, eventType: envelope.event_type, data: envelope.data };
  });
  return rewrite(catalogue, events, ({ consumer, eventId, envelope }, data) =>
    client.query(
      `UPDATE "signalbox"."postponed_event" SET "value" = $3 WHERE "consumer" = $1 AND "event_id" = $2::uuid`,
      [consumer, eventId, Buffer.from(JSON.stringify({ ...envelope, data: JSON.parse(data) as Data }))],
    ),
  );
}

/** The address that appointment-reminders knows. */
export async function eraseContact(client: Client, { patientId }: Subject): Promise<number> {
  const { rowCount } = await client.query(
    `UPDATE "reminders"."contact" SET "email" = NULL WHERE "patient_id" = $1::uuid AND "email" IS NOT NULL`,
    [patientId],
  );
  return rowCount ?? 0;
}

/** Returns how many held something. */
async function rewrite<Key>(
  catalogue: Catalogue,
  events: readonly { readonly key: Key; readonly eventType: string; readonly data: Data }[],
  update: (key: Key, data: string) => Promise<unknown>,
): Promise<number> {
  let rewritten = 0;
  for (const { key, eventType, data } of events) {
    const erased = eraseData(catalogue, eventType, data);
    if (isDeepStrictEqual(erased, data)) continue;
    await update(key, JSON.stringify(erased));
    rewritten += 1;
  }
  return rewritten;
}
