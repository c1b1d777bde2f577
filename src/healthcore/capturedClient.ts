import {
  type AdapterOptions,
  type Captured,
  type CapturedTransaction as TransactionOf,
  type CaptureEngineName,
  type CaptureOptions,
  contextComments,
  withCapture,
  withSignals,
} from 'signalbox/prisma';
import { createPrismaClient } from './createPrismaClient';
import { UserError } from 'signalbox/service';
import type { PrismaClient } from '../generated/prisma/client';
import { catalogue } from './catalogue';

/** HealthCore's client with capture, by either engine. */
export type CapturedClient = Captured<PrismaClient, typeof catalogue>;

/** What its `$transaction(async (tx) => …)` passes. */
export type CapturedTransaction = TransactionOf<PrismaClient, typeof catalogue>;

/**
 * A Prisma client whose writes leave their events in the outbox, by the engine that OUTBOX_CAPTURE names.
 * The trigger engine asks the database at once whether its triggers are those that the catalogue means.
 * @throws TriggersDifferError, a UserError, when they are not; a UserError when the database cannot be asked.
 */
export async function createCapturedClient(
  engine: CaptureEngineName,
  database: AdapterOptions,
  options: CaptureOptions,
): Promise<CapturedClient> {
  if (engine === 'middleware') return withCapture(createPrismaClient(database), { ...options, catalogue });
  const base = createPrismaClient({ ...database, comments: [contextComments({ source: options.source })] });
  try {
    return await withSignals(base, { ...options, catalogue });
  } catch (error) {
    await base.$disconnect();
    throw error instanceof Error && error.name.startsWith('Prisma') ? cannotAsk(error) : error;
  }
}

function cannotAsk(error: Error): UserError {
  const { code } = error as { code?: string };
  return new UserError(
    `The trigger engine looks at its triggers before it starts, and the database could not be asked (${code ?? error.name}). ` +
      'Start the database or mend DATABASE_URL, and start again.',
    { cause: error },
  );
}
