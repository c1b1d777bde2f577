import type { ClientBase } from 'pg';
import type { ReadDeadLetter } from '../../kafka/deadLetters/readDeadLetter';

type Database = Pick<ClientBase, 'query'>;

/** What an operator has done with a dead letter. */
export interface Settlement {
  readonly action: 'replayed' | 'discarded';
  readonly settledAt: Date;
}

/** The settlements of a dead-letter topic, by letter. */
export type Settlements = ReadonlyMap<string, Settlement>;

type Place = Pick<ReadDeadLetter, 'topic' | 'partition' | 'offset' | 'writtenAt'>;

/** Names a letter for maps. */
export function letterKey({ topic, partition, offset, writtenAt }: Place): string {
  return `${topic}/${partition}/${offset}@${writtenAt.getTime()}`;
}

interface Row extends Settlement {
  partition: number;
  offset: string;
  writtenAt: Date;
}

/** All settlements of a topic; there are as many as operators have made, which is few. */
export async function readSettlements(database: Database, topic: string): Promise<Settlements> {
  const { rows } = await database.query<Row>(
    `SELECT "partition", "offset"::text AS "offset", "written_at" AS "writtenAt", "action", "settled_at" AS "settledAt"
     FROM "signalbox"."settled_dead_letter" WHERE "topic" = $1`,
    [topic],
  );
  return new Map(rows.map((row) => [letterKey({ topic, ...row }), row]));
}

/**
 * Notes what is done with a letter, in the transaction that does it; false when it has been settled before. While
 * another transaction settles the same letter, this waits for its end. `again` settles it anew.
 */
export async function settleLetter(
  database: Database,
  letter: ReadDeadLetter,
  action: Settlement['action'],
  again: boolean,
): Promise<boolean> {
  const { rowCount } = await database.query(
    `INSERT INTO "signalbox"."settled_dead_letter" AS s
       ("topic", "partition", "offset", "written_at", "action", "consumer_group", "event_id")
     VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT ("topic", "partition", "offset", "written_at")
     DO UPDATE SET "action" = excluded."action", "settled_at" = now() WHERE $8`,
    [
      letter.topic,
      letter.partition,
      letter.offset,
      letter.writtenAt,
      action,
      letter.group ?? null,
      letter.eventId ?? null,
      again,
    ],
  );
  return rowCount === 1;
}
