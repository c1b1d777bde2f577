import { PrismaClient } from '../generated/prisma/client';
import { type AdapterOptions, createAdapter, markedComments, type StatementComments } from 'signalbox/prisma';

export interface PrismaClientOptions extends AdapterOptions {
  /**
   * What is added to each statement. By default the mark of the middleware engine, for this client is the base that
   * `withCapture` extends. Pass `contextComments` for the trigger engine, and none for a client whose writes only
   * triggers shall capture.
   */
  readonly comments?: readonly StatementComments[];
}

/** A Prisma client without capture: the base that `withCapture` extends. */
export function createPrismaClient({
  comments = [markedComments()],
  ...options
}: PrismaClientOptions): PrismaClient {
  return new PrismaClient({ adapter: createAdapter(options), comments: [...comments] });
}
