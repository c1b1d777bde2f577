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
import { type Client, eraseAuditLog, eraseContact, eraseOutbox, erasePostponed } from './places';
import { findSubject, type Subject } from './subject';
import type { Catalogue } from '../../events/catalogue';

export interface EraseOptions {
  readonly reason?: string;
  readonly by?: string;
  readonly execute?: boolean;
  readonly json?: boolean;
}

/** Rows that held something, by place. */
type ErasedRows = Readonly<Record<(typeof places)[number]['name'], number>>;

const places = [
  { name: 'outbox', erase: eraseOutbox },
  { name: 'audit_log', erase: eraseAuditLog },
  { name: 'postponed_events', erase: erasePostponed },
  { name: 'reminder_contacts', erase: eraseContact },
] as const;

/**
 * `ops erase patient`: overwrites what is left in the database of a deleted patient, in one transaction with the entry
 * of the journal. A dry run does the same and rolls it back, so what it says is what would be done.
 */
export async function erasePatient(tools: Tools, id: string, options: EraseOptions): Promise<number> {
  const { execute = false, json = false, by = userInfo().username, reason } = options;
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id))
    throw new UserError(`"${id}" is not the id of a patient, which is a UUID.`);
  if (execute && !reason?.trim())
    throw new UserError('Say why with --reason: it is kept in the journal signalbox.erasure.');
  const { KAFKA_TOPIC_RETENTION_MS: retentionMs } = loadConfig(
    { KAFKA_TOPIC_RETENTION_MS: kafkaVariables.KAFKA_TOPIC_RETENTION_MS },
    tools.environment,
  );
  const rows = await withDatabase(tools, (pool) =>
    inTransaction(
      pool,
      async (client) => {
        const subject = await findSubject(client, id.toLowerCase());
        if (subject.exists) throw new UserError(stillThere(id));
        const erased = await eraseEverywhere(client, subject, tools.catalogue);
        await journal(client, { subject, by, reason: reason ?? '', erased });
        return erased;
      },
      { commit: execute },
    ),
  );
  const data = { patient: id, executed: execute, rows, not_reached: notReached(retentionMs) };
  report(tools.stdout, json, { data, text: textOf(id, rows, execute, retentionMs) });
  return exitCodes.ok;
}

async function eraseEverywhere(client: Client, subject: Subject, catalogue: Catalogue): Promise<ErasedRows> {
  const counts: [string, number][] = [];
  for (const { name, erase } of places) counts.push([name, await erase(client, subject, catalogue)]);
  return Object.fromEntries(counts) as ErasedRows;
}

async function journal(
  client: Client,
  { subject, by, reason, erased }: { subject: Subject; by: string; reason: string; erased: ErasedRows },
): Promise<void> {
  await client.query(
    `INSERT INTO "signalbox"."erasure" ("subject_type", "subject_id", "erased_by", "reason", "rows")
     VALUES ('patient', $1, $2, $3, $4)`,
    [subject.patientId, by, reason, JSON.stringify(erased)],
  );
}

const stillThere = (id: string): string =>
  `The patient ${id} still exists. Delete the patient first (DELETE /api/v1/patients/${id}): this command erases what a deletion leaves behind.`;

/** What no command of ours can reach, for the person who has to answer for it. */
const notReached = (retentionMs: number): string[] => [
  `Kafka: messages of before stay in the event topics ${retentionMs < 0 ? 'for ever' : `for ${duration(retentionMs)}`} after they were written (or as long as the topics say), and so do dead letters.`,
  'What consumers of others have stored, mailboxes, and the logs of mail servers.',
  'Backups, archived write-ahead logs and replicas that lag; old row versions until the next VACUUM.',
  "Postgres' own log, if it was set to print rows: docs/erasure.md says how to keep them out.",
];

function textOf(id: string, rows: ErasedRows, execute: boolean, retentionMs: number): string {
  const total = Object.values(rows).reduce((sum, count) => sum + count, 0);
  const lines = Object.entries(rows).map(([place, count]) => `  ${place.padEnd(20)}${count}`);
  const result = execute
    ? `Erased what was left of the patient ${id}, and noted it in signalbox.erasure.`
    : total === 0
      ? `Nothing is left of the patient ${id} that this command can erase.`
      : 'Nothing was changed; add --execute and --reason to erase it.';
  const limits = ['It does not reach:', ...notReached(retentionMs).map((line) => `  - ${line}`)];
  return ['Rows that hold something of the patient:', ...lines, '', result, '', ...limits].join('\n');
}
