import type { CapturedClient } from '../outbox/prisma/middleware/extension';

/** The client through which the API writes: Prisma with capture, so that every write brings its events along. */
export type Database = CapturedClient;
