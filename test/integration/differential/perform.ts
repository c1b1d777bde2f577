import { withContext } from '../../../src/outbox/context';
import { printWrite } from './print';
import type { Item, ModelName, Outcome, Step, Write } from './steps';
import { givenIds } from './values';

/* Runs steps on a client and notes what the caller gets to see of them. */

type Delegate = Readonly<Record<string, (args: unknown) => PromiseLike<unknown>>>;

/** What is used of a Prisma client, with capture or without. */
export type Writer = Readonly<Record<ModelName, Delegate>> & {
  $transaction(work: unknown, options?: object): Promise<unknown>;
  $append?(eventType: string, event: object): Promise<unknown>;
  $queryRawUnsafe(sql: string): PromiseLike<unknown>;
};

/** The machine may be busy: no transaction is to end by its time limit. */
const patience = { maxWait: 120_000, timeout: 120_000 };

const thrownOnPurpose = 'roll back';

export async function perform(client: Writer, step: Step): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  await withContext(step.context, async () => {
    switch (step.kind) {
      case 'alone':
        await note(outcomes, printWrite(step.write), step.write, async () => call(client, step.write));
        return;
      case 'batch':
        await note(outcomes, '$transaction([…])', undefined, async () => {
          const results = await client.$transaction(
            step.writes.map((write) => call(client, write)),
            patience,
          );
          return (results as unknown[]).map((result, nr) => seen(result, step.writes[nr]));
        });
        return;
      case 'interactive':
        await note(outcomes, '$transaction(…)', undefined, async () =>
          client.$transaction(async (tx: Writer) => performAll(tx, step.items, step.end, outcomes), {
            ...patience,
            ...(step.isolationLevel ? { isolationLevel: step.isolationLevel } : {}),
          }),
        );
    }
  });
  return outcomes;
}

async function performAll(
  tx: Writer,
  items: readonly Item[],
  end: 'commit' | 'throw',
  outcomes: Outcome[],
): Promise<void> {
  for (const item of items) {
    const error = await performItem(tx, item, outcomes);
    if (error !== undefined && !('caught' in item && item.caught) && item.kind !== 'together') throw error;
  }
  if (end === 'throw') throw new Error(thrownOnPurpose);
}

/** Gives the error that the item ended with, if any. */
async function performItem(tx: Writer, item: Item, outcomes: Outcome[]): Promise<unknown> {
  switch (item.kind) {
    case 'write':
      return note(outcomes, printWrite(item.write), item.write, async () => call(tx, item.write));
    case 'append':
      return note(outcomes, appended(item.aggregateId), undefined, async () => append(tx, item));
    case 'together': {
      const each = item.writes.map((): Outcome[] => []);
      const running: Promise<unknown>[] = [];
      for (const [nr, write] of item.writes.entries()) {
        running.push(note(each[nr] ?? [], printWrite(write), write, async () => call(tx, write)));
        await nextTurn();
      }
      await Promise.all(running);
      outcomes.push(...each.flat());
      return undefined;
    }
    case 'nested':
      return note(outcomes, 'tx.$transaction(…)', undefined, async () =>
        tx.$transaction(async (nested: Writer) => performAll(nested, item.items, item.end, outcomes)),
      );
  }
}

/**
 * Prisma makes one request of what is started in the same turn of the event loop, and after an error in it gives
 * undefined for the rest, without capture.
 */
const nextTurn = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

export const appended = (aggregateId: string): string => `$append ${aggregateId}`;

const call = (client: Writer, { model, action, args }: Write): PromiseLike<unknown> => {
  const operation = client[model][action];
  if (!operation) throw new Error(`Prisma has no operation "${action}"`);
  return operation(args);
};

/** A client without capture does a statement in its place, which fails if the transaction is broken. */
async function append(
  tx: Writer,
  { aggregateId, data }: Extract<Item, { kind: 'append' }>,
): Promise<undefined> {
  try {
    if (tx.$append) await tx.$append('email.send', { aggregateId, data });
    else await tx.$queryRawUnsafe('SELECT 1');
  } catch (error) {
    throw new AppendFailed('an append failed', { cause: error });
  }
}

class AppendFailed extends Error {
  override readonly name = 'AppendFailed';
}

async function note(
  outcomes: Outcome[],
  what: string,
  write: Write | undefined,
  work: () => Promise<unknown>,
): Promise<unknown> {
  try {
    const result = await work();
    outcomes.push({ call: what, result: write ? seen(result, write) : result });
    return undefined;
  } catch (error) {
    outcomes.push({ call: what, error: told(error) });
    return error ?? new Error('nothing was thrown');
  }
}

/** An error by its class, code and sentence; what stands before the sentence names a place in the source. */
function told(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code = '' } = error as { code?: string };
  const sentence = error.message.trim().split('\n').at(-1) ?? '';
  return withoutIds(`${error.name} ${code} ${sentence}`);
}

const uuids = /[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/g;

function withoutIds(text: string): string {
  return text.replaceAll(uuids, (id) => (id.startsWith(givenIds) ? id : 'made'));
}

/** A result without what differs from run to run; the order of updated rows is nobody's promise. */
function seen(result: unknown, write: Write | undefined): unknown {
  const plain = plainOf(result);
  if (write?.action === 'updateManyAndReturn' && Array.isArray(plain)) return plain.map(asText).sort();
  return plain;
}

const asText = (value: unknown): string => JSON.stringify(value);

/** When and by whom a row was made or touched says nothing about the write. */
const clocks = new Set(['createdAt', 'updatedAt']);

function plainOf(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString();
  if (typeof value === 'string') return withoutIds(value);
  if (Array.isArray(value)) return value.map(plainOf);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).filter(([field]) => !clocks.has(field));
  return Object.fromEntries(fields.map(([field, each]) => [field, plainOf(each)]));
}
