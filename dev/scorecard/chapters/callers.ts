import { both, type Chapter, yes } from '../verdict';

/** What the application notices of capture. */
export const callers: Chapter = {
  title: 'What callers notice',
  capabilities: [
    both(
      'error classes and codes of plain Prisma',
      yes('pitfalls/callers', 'is the error of plain Prisma, by class and code'),
    ),
    both(
      'isolation levels and time limits',
      yes('pitfalls/callers', 'is the isolation level and the time limits that they asked for'),
    ),
    both(
      'lazy promises',
      yes('pitfalls/callers', 'is that promises stay lazy, and run once however often they are awaited'),
    ),
    both(
      'extensions applied before or after capture',
      yes('pitfalls/callers', 'is the same with extensions applied %s ours, in and out of transactions'),
    ),
    both(
      'soft delete by an extension, in either order',
      yes(
        'pitfalls/otherWriters',
        'have one event for each row, that of what was done to it, with the context of the caller',
      ),
    ),
    both(
      'row-level security by Prisma’s extension',
      yes('pitfalls/rowLevelSecurity', 'keeps tenants apart, reads and events included, applied %s'),
    ),
    both(
      'thousands of writes on a pool of two',
      yes(
        'pitfalls/concurrency',
        'thousands of creates on a pool of two succeed wherever those of plain Prisma do, each with its event',
      ),
    ),
    both(
      'the request’s context, across lazy promises and batches',
      yes('pitfalls/context', 'in which each element of a batch was made'),
    ),
    both(
      'two copies of the package in one process',
      yes('pitfalls/context', 'of another copy of this module, as bundlers and hot reload make them'),
    ),
    both(
      'switching the engine under load',
      yes(
        'pitfalls/switching',
        'switching OUTBOX_CAPTURE back and forth, instance by instance under load, loses and doubles nothing',
      ),
    ),
  ],
};
