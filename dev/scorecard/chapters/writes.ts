import { absent, both, type Chapter, each, refused, yes } from '../verdict';

/** What capture does with each way to write. */
export const writes: Chapter = {
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
        'capture/cascades',
        'is captured as a whole beside triggers, with the context of the request',
        'by the installed triggers; refused without them, and where it leads back to the same table',
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
