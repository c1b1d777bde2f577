import { both, type Chapter, each, yes } from '../verdict';

/** Changes and their events commit together or not at all. */
export const transactions: Chapter = {
  title: 'Transactions',
  capabilities: [
    both('row and event in one transaction', yes('pitfalls/atomicity', 'are rows of one transaction')),
    both(
      'interactive transactions, rolled back by their caller',
      yes(
        'pitfalls/atomicity',
        'go together when the caller’s transaction is rolled back, also by a batch that fails',
      ),
    ),
    both(
      'nested transactions (savepoints)',
      yes('pitfalls/atomicity', 'go together when a nested transaction is rolled back to its savepoint'),
    ),
    both(
      'time-outs in the middle of an operation',
      yes('pitfalls/atomicity', 'go together when %s between two statements of one operation'),
    ),
    both(
      'an error at COMMIT',
      yes('pitfalls/atomicity', 'go together when COMMIT fails, and no open transaction leaks into the pool'),
    ),
    each(
      'batches',
      yes('capture/batches', 'run in their order in one transaction, with all results'),
      yes('trigger/context', 'is on raw SQL, on batches and in transactions'),
    ),
    each(
      'explicit events with `$append`',
      yes(
        'capture/transactions',
        'wait for each other’s transaction, so that their order is that of the commits',
      ),
      yes(
        'trigger/capture',
        'refuses an explicit event outside a transaction, or one that does not fit the catalogue',
      ),
    ),
    both(
      'positions in the order of the commits of one row',
      yes(
        'pitfalls/concurrency',
        'changes of one row have their positions in the order in which they were committed',
      ),
    ),
  ],
};
