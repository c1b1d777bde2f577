import { randomUUID } from 'node:crypto';
import type { CapturedClient, CapturedTransaction } from '../../../src/healthcore/capturedClient';
import type { JournalLine, WriterJournal } from './journal';

/** Thrown to roll back what a writer never meant to commit. */
export class OnPurpose extends Error {}

export interface Writer {
  readonly prisma: CapturedClient;
  readonly journal: WriterJournal;
}

/** Runs single statements, each a transaction of its own, whose rows carry the tag. Failures are part of the storm. */
export async function record(
  { journal }: Writer,
  line: Pick<JournalLine, 'changes'> & { readonly tag?: string },
  work: (tag: string) => Promise<unknown>,
): Promise<boolean> {
  const { tag = randomUUID(), changes } = line;
  journal.note({ tag, changes, outcome: 'begun' });
  try {
    await work(tag);
  } catch (error) {
    if (error instanceof OnPurpose) journal.note({ tag, changes, outcome: 'rolled back' });
    return false;
  }
  journal.note({ tag, changes, outcome: 'committed' });
  return true;
}

/** The same in an interactive transaction. */
export async function inTransaction(
  writer: Writer,
  changes: number,
  work: (tx: CapturedTransaction, tag: string) => Promise<void>,
): Promise<boolean> {
  return record(writer, { changes }, (tag) =>
    writer.prisma.$transaction(
      async (tx) => {
        await tx.$queryRaw`SELECT set_config('chaos.tag', ${tag}, true)`;
        await work(tx, tag);
      },
      { maxWait: 10_000, timeout: 30_000 },
    ),
  );
}
