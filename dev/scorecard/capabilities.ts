import { callers } from './chapters/callers';
import { installing } from './chapters/installing';
import { schemas } from './chapters/schemas';
import { transactions } from './chapters/transactions';
import { writes } from './chapters/writes';
import type { Chapter } from './verdict';

/** What the engines can do, chapter by chapter, in the page's order. A line without a test is absent and says so. */
export const chapters: readonly Chapter[] = [writes, transactions, callers, schemas, installing];
