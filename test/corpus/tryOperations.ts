import { CaptureError } from '../../src/outbox/captureError';
import type { TestConnection } from '../integration/trigger/support';
import { isLong } from '../support/effort';
import { catalogueOf } from './catalogueOf';
import { expectedEvents, type RowsSnapshot, saidEvents, takeSnapshot } from './difference';
import { expectedLinks, linksOf, type LinksSnapshot, takeLinks } from './links';
import { type Operation, operationsOf, RolledBack } from './operations';
import type { World } from './world';

export interface Findings {
  /** How many operations were carried out, refused by the engine, and refused by the database or Prisma. */
  done: number;
  refused: number;
  failed: number;
  /** Where the outbox said something else than the tables, and operations that ended as none may. */
  readonly wrong: string[];
}

interface Snapshot {
  readonly rows: RowsSnapshot;
  readonly links: LinksSnapshot;
}

/** What Prisma says of rows that are missing, taken or pointed at: the operation does not fit these rows. */
const unfit = new Set(['P2002', 'P2003', 'P2011', 'P2014', 'P2017', 'P2018', 'P2025']);

/** Raw SQL that leaves rows pointing to nothing, and what Prisma before 7.10 says of rows that are pointed at. */
const isForeignKey =
  /Raw query failed\. Code: `23(503|001)`|violates RESTRICT setting of foreign key constraint/;

/** Goes through all operations with all models of the world's schema. */
export async function tryOperations(
  world: World,
  { outbox, raw }: { readonly outbox: TestConnection; readonly raw: boolean },
): Promise<Findings> {
  const { schema } = world;
  const catalogue = catalogueOf(schema.withDatasource, { links: raw });
  const links = raw ? linksOf(schema.withDatasource, catalogue) : [];
  const snapshot = async (): Promise<Snapshot> => ({
    rows: await takeSnapshot(world.reader, catalogue),
    links: await takeLinks(outbox, links),
  });
  const findings: Findings = { done: 0, refused: 0, failed: 0, wrong: [] };
  const tryOne = async (operation: Operation): Promise<string | undefined> => {
    const run = await operation.prepare(world);
    await outbox.events();
    const before = await snapshot();
    findings[await outcomeOf(run)]++;
    const after = await snapshot();
    const expected = [
      ...expectedEvents(before.rows, after.rows),
      ...expectedLinks(links, before.links, after.links),
    ].toSorted();
    const said = (await saidEvents(outbox)).toSorted();
    if (expected.join('\n') === said.join('\n')) return undefined;
    const only = (these: string[], others: string[]): string =>
      these.filter((event) => !others.includes(event)).join(', ') || 'nothing';
    return `the rows say ${only(expected, said)}, the outbox says ${only(said, expected)}`;
  };
  const operations = schema.models.flatMap(operationsOf).filter((operation) => raw || !operation.raw);
  for (const [at, operation] of operations.entries()) {
    // Another fifth with each schema, so that every kind has its turn.
    if (!isLong && (at + schema.name.length) % 5 !== 0) continue;
    const problem = await tryOne(operation).catch((error: unknown) => String(error));
    if (problem !== undefined) findings.wrong.push(`${schema.name}: ${operation.name}: ${problem}`);
  }
  return findings;
}

async function outcomeOf(run: () => Promise<unknown>): Promise<'done' | 'refused' | 'failed'> {
  try {
    await run();
    return 'done';
  } catch (error) {
    if (error instanceof RolledBack) return 'done';
    if (error instanceof CaptureError) return 'refused';
    if (unfit.has(String((error as { code?: unknown }).code)) || isForeignKey.test(String(error)))
      return 'failed';
    throw error;
  }
}
