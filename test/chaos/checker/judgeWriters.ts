import type { JournalLine } from '../writer/journal';
import type { Faults } from './check';
import type { Change, Evidence } from './evidence';

type Judged = Pick<Faults, 'commitsLost' | 'rollbacksKept' | 'halfCommitted' | 'tablesWrong'>;

/** What writers were told, and what the tables hold, against the journal's triggers. */
export function judgeWriters({ changes, transactions, tables }: Evidence): Judged {
  const made = new Map<string, number>();
  for (const { tag } of changes) made.set(tag, (made.get(tag) ?? 0) + 1);
  const judged: Judged = { commitsLost: [], rollbacksKept: [], halfCommitted: [], tablesWrong: [] };
  for (const [tag, { outcome, changes: expected }] of lastWords(transactions)) {
    const found = made.get(tag) ?? 0;
    const line = `${tag}: ${found} of ${expected} changes`;
    if (outcome === 'rolled back' && found > 0) judged.rollbacksKept.push(line);
    else if (outcome === 'committed' && found === 0) judged.commitsLost.push(line);
    else if (found > 0 && found !== expected) judged.halfCommitted.push(line);
  }
  return { ...judged, tablesWrong: tablesWrong(changes, tables) };
}

function lastWords(lines: readonly JournalLine[]): Map<string, JournalLine> {
  return new Map(lines.map((line) => [line.tag, line]));
}

function tablesWrong(changes: readonly Change[], tables: Evidence['tables']): string[] {
  const last = new Map<string, Change>();
  for (const change of changes) {
    if (change.version > (last.get(change.aggregate)?.version ?? 0)) last.set(change.aggregate, change);
  }
  const rows = new Map(tables.map(({ aggregate, version }) => [aggregate, version]));
  const wrong = tables
    .filter(({ aggregate, version }) => last.get(aggregate)?.version !== version)
    .map(
      ({ aggregate, version }) => `${aggregate} has version ${version}, not ${last.get(aggregate)?.version}`,
    );
  for (const [aggregate, { key }] of last) {
    const isGone = key.endsWith('.deleted') || key.includes(' email.send ');
    if (!isGone && !rows.has(aggregate)) wrong.push(`${aggregate} is gone without a deletion`);
    if (isGone && rows.has(aggregate)) wrong.push(`${aggregate} is there after its deletion`);
  }
  return wrong;
}
