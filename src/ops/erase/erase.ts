import { userInfo } from 'node:os';
import { loadConfig } from '../../shared/config/load';
import { kafkaVariables } from '../../shared/config/variables';
import { inTransaction } from '../../shared/inTransaction';
import { UserError } from '../../shared/lifecycle';
import type { Tools } from '../command';
import { withDatabase } from '../database';
import { exitCodes } from '../exitCodes';
import { duration } from '../output/duration';
import { report } from '../output/report';
import { ownPlaces } from './places';
import type { EraseEvent, ErasureConnection, ErasurePlace, ErasureSubject, Subject } from './subject';
import type { Catalogue } from '../../events/catalogue';
import { eraseData } from '../../events/eraseData';

export interface EraseOptions {
  readonly reason?: string;
  readonly by?: string;
  readonly execute?: boolean;
  readonly json?: boolean;
}

/** Rows that held something, by place. */
type ErasedRows = Readonly<Record<string, number>>;

/**
 * `ops erase <type>`: overwrites what is left in the database of a deleted subject, in one transaction with the entry of
 * the journal. A dry run does the same and rolls it back, so what it says is what would be done.
 */
export async function eraseSubject(
  tools: Tools,
  kind: ErasureSubject,
  givenId: string,
  options: EraseOptions,
): Promise<number> {
  const { execute = false, json = false, by = userInfo().username, reason } = options;
  const id = kind.normalize(givenId);
  if (id === undefined)
    throw new UserError(`"${givenId}" is not the id of a ${kind.type}, which is ${kind.idForm}.`);
  if (execute && !reason?.trim())
    throw new UserError('Say why with --reason: it is kept in the journal signalbox.erasure.');
  const { KAFKA_TOPIC_RETENTION_MS: retentionMs } = loadConfig(
    { KAFKA_TOPIC_RETENTION_MS: kafkaVariables.KAFKA_TOPIC_RETENTION_MS },
    tools.environment,
  );
  const rows = await withDatabase(tools, (pool) =>
    inTransaction(
      pool,
      async (connection) => {
        const { exists, aggregates } = await kind.find(connection, id);
        if (exists) throw new UserError(stillThere(kind, id));
        const subject = { id, dataField: kind.dataField, aggregates };
        const erased = await eraseEverywhere(
          connection,
          subject,
          [...ownPlaces, ...(kind.places ?? [])],
          tools.catalogue,
        );
        await journal(connection, { type: kind.type, id, by, reason: reason ?? '', erased });
        return erased;
      },
      { commit: execute },
    ),
  );
  const data = { [kind.type]: id, executed: execute, rows, not_reached: notReached(retentionMs) };
  report(tools.stdout, json, { data, text: textOf(`${kind.type} ${id}`, rows, execute, retentionMs) });
  return exitCodes.ok;
}

async function eraseEverywhere(
  connection: ErasureConnection,
  subject: Subject,
  places: readonly ErasurePlace[],
  catalogue: Catalogue,
): Promise<ErasedRows> {
  const eraseEvent: EraseEvent = (eventType, data) => eraseData(catalogue, eventType, data);
  const counts: [string, number][] = [];
  for (const { name, erase } of places) counts.push([name, await erase(connection, subject, eraseEvent)]);
  return Object.fromEntries(counts);
}

interface Entry {
  readonly type: string;
  readonly id: string;
  readonly by: string;
  readonly reason: string;
  readonly erased: ErasedRows;
}

async function journal(
  connection: ErasureConnection,
  { type, id, by, reason, erased }: Entry,
): Promise<void> {
  await connection.query(
    `INSERT INTO "signalbox"."erasure" ("subject_type", "subject_id", "erased_by", "reason", "rows")
     VALUES ($1, $2, $3, $4, $5)`,
    [type, id, by, reason, JSON.stringify(erased)],
  );
}

const stillThere = ({ type, deletion }: ErasureSubject, id: string): string =>
  `The ${type} ${id} still exists. Delete the ${type} first (${deletion(id)}): this command erases what a deletion leaves behind.`;

/** What no command of ours can reach, for the person who has to answer for it. */
const notReached = (retentionMs: number): string[] => [
  `Kafka: messages of before stay in the event topics ${retentionMs < 0 ? 'for ever' : `for ${duration(retentionMs)}`} after they were written (or as long as the topics say), and so do dead letters.`,
  'What consumers of others have stored, mailboxes, and the logs of mail servers.',
  'Backups, archived write-ahead logs and replicas that lag; old row versions until the next VACUUM.',
  "Postgres' own log, if it was set to print rows: docs/erasure.md says how to keep them out.",
];

function textOf(subject: string, rows: ErasedRows, execute: boolean, retentionMs: number): string {
  const total = Object.values(rows).reduce((sum, count) => sum + count, 0);
  const lines = Object.entries(rows).map(([place, count]) => `  ${place.padEnd(20)}${count}`);
  const result = execute
    ? `Erased what was left of the ${subject}, and noted it in signalbox.erasure.`
    : total === 0
      ? `Nothing is left of the ${subject} that this command can erase.`
      : 'Nothing was changed; add --execute and --reason to erase it.';
  const limits = ['It does not reach:', ...notReached(retentionMs).map((line) => `  - ${line}`)];
  return [`Rows that hold something of the ${subject}:`, ...lines, '', result, '', ...limits].join('\n');
}
