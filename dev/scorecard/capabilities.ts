import { absent, both, type Chapter, each, refused, yes } from './verdict';

/* What the engines can do, line by line. A line without a test is absent and says so. */

const writes: Chapter = {
  title: 'Writes',
  capabilities: [
    each(
      '`create`',
      yes('capture/operations', 'create with a default of the model: the event has what is stored'),
      yes('trigger/prisma', 'have an event for each single row'),
    ),
    each(
      '`createMany` with `skipDuplicates`',
      yes(
        'capture/operations',
        'createMany: an event for each row, in their order, also with skipDuplicates',
      ),
      yes(
        'trigger/prisma',
        'have events for the rows that skipDuplicates let in, and for those that limit let through',
      ),
    ),
    each(
      '`createManyAndReturn`',
      yes('capture/operations', 'createManyAndReturn: the rows as asked for, with events all the same'),
      yes('trigger/prisma', 'have an event for each row of a bulk write of 5,000'),
    ),
    each(
      '`updateMany` and `deleteMany` with `limit`',
      yes('capture/operations', 'updateMany and deleteMany with a limit: as many events as rows'),
      yes(
        'differential/differential',
        'say what their tables say when a limit leaves it to Postgres which rows are written',
      ),
    ),
    each(
      '`upsert`, both outcomes',
      yes('capture/operations', 'upsert: created or updated, whichever it was'),
      yes('trigger/writes', 'captures what ON CONFLICT inserted, updated and left alone'),
    ),
    each(
      '`delete`, with the last image',
      yes('capture/operations', 'delete and deleteMany: the image is the last one'),
      yes('trigger/writes', 'says that a row was created, changed and deleted'),
    ),
    each(
      'an update of the primary key',
      yes('capture/operations', 'update of the primary key: the old one went, the new one came'),
      yes('trigger/writes', 'takes a changed primary key for one row that went and one that came'),
    ),
    each(
      'nested writes, several levels',
      yes(
        'capture/nestedDeep',
        'below models without events, four levels down',
        'those that could leave rows behind which cannot be found are refused',
      ),
      yes('trigger/prisma', 'have events for nested writes, several levels deep'),
    ),
    each(
      'raw SQL',
      refused(
        'capture/refusals',
        'raw SQL that writes to a captured table, in and out of transactions, with the way out',
      ),
      yes('trigger/sideBySide', 'capture the raw SQL of a marked client, which its engine does not see'),
    ),
    each(
      'cascades of foreign keys',
      yes(
        'trigger/sideBySide',
        'capture what a foreign key does in the course of a marked statement',
        'by the installed triggers; a cascade between captured models is refused at start',
      ),
      yes('trigger/sideBySide', 'capture both sides of a cascade in an unmarked statement'),
    ),
    each(
      '`TRUNCATE`',
      absent('left to the installed triggers'),
      refused('trigger/writes', 'refuses TRUNCATE, for which no event could be written, and says what to do'),
    ),
    both(
      'writes that are to have no events',
      yes(
        'pitfalls/otherWriters',
        'have no events: single, bulk, nested, in transactions, raw, and what they cause in the database',
      ),
    ),
    both(
      'no event for an update without effect',
      yes('pitfalls/atomicity', 'are none for an update that changes nothing'),
    ),
  ],
};

const transactions: Chapter = {
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

const callers: Chapter = {
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

const schemas: Chapter = {
  title: 'Schemas and servers',
  capabilities: [
    both(
      'every kind of scalar, to the last digit',
      yes(
        'pitfalls/values',
        'are in the events of every way to create a row as they went in: 64 bits, 60 digits, bytes, nulls, 900 kB',
      ),
    ),
    both(
      'values that no event can carry',
      refused(
        'pitfalls/values',
        'go all the way to a consumer, or are refused with an error that says the field',
      ),
    ),
    both(
      'a key that is `@unique` and not the primary key',
      yes('trigger/values', 'name rows by a unique key, whatever happens to their primary key'),
    ),
    both(
      'enums with `@map`',
      yes('trigger/values', 'write an enum by its name in Prisma, also the one before'),
    ),
    both(
      'a schema in several files',
      yes('unit/schema/files', 'is read the same from the text that the generated client carries'),
    ),
    both(
      'a default schema other than `public`',
      yes(
        'connections/parameters',
        'holds the tables, the triggers and what raw SQL reads; nothing is in public',
      ),
    ),
    both(
      'databases in any time zone',
      yes('connections/timeZone', '%s is stored, answered and published as it was given'),
    ),
    each(
      'partitioned tables',
      yes(
        'trigger/partitions',
        'have one event for each write, also for one that names %s',
        'what is written past Prisma',
      ),
      yes('trigger/partitions', 'have one event for each write, also for one that names %s'),
    ),
    both('composite keys', absent('a key is one field')),
    both('lists of scalars', absent('a field that is a list cannot be listed')),
    both('implicit many-to-many', absent('the join table has no model, so its rows have no events')),
    both('rules on null (`becomes` null or not null)', absent('`becomes` takes a value')),
    both('databases other than Postgres', absent('the log rests on Postgres’ snapshots')),
  ],
};

const installing: Chapter = {
  title: 'Installing and watching',
  capabilities: [
    each(
      'triggers that are missing or differ are reported at start',
      yes(
        'pitfalls/otherWriters',
        'writes past capture are refused before they write, with the ways out',
        'writes of its own need none',
      ),
      yes('trigger/check', 'refuses %s'),
    ),
    both(
      '… and while programs run',
      yes('trigger/watch', 'says once that triggers were %s, and once that they are back'),
    ),
    each(
      'an upgrade of Prisma that changes its inside is noticed',
      yes(
        'unit/capture/internals',
        'is tried before the first write: if requests go another way, writes are refused and the log says so',
      ),
      absent('it needs public interfaces only'),
    ),
    both(
      'nothing of ours is dropped by `prisma migrate dev`',
      yes(
        'pitfalls/drift',
        'what the migrations add to Prisma’s own schema is in schema.prisma, so that "migrate dev" drops none of it',
      ),
    ),
    both(
      'both engines say the same of random writes',
      yes(
        'differential/differential',
        'show callers what plain Prisma shows, and say the same of every change',
      ),
    ),
  ],
};

/** All chapters of the scorecard, in the page's order. */
export const chapters: readonly Chapter[] = [writes, transactions, callers, schemas, installing];
