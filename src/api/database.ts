import type { CapturedClient } from '../healthcore/capturedClient';

/** The client through which the API writes: Prisma with capture, so that every write brings its events along. */
export type Database = CapturedClient;
