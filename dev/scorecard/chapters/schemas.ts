import { absent, both, type Chapter, each, refused, yes } from '../verdict';

/** Schemas, values and servers of other people. */
export const schemas: Chapter = {
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
    each(
      'keys of several fields (`@@id([a, b])`)',
      refused(
        'corpus/corpus',
        'mean by the middleware engine what their rows say, or are refused by a sentence',
      ),
      yes('trigger/compositeKeys', 'names the aggregate by all of them, so that no two rows have one name'),
    ),
    each(
      'lists of scalars and enums',
      refused(
        'corpus/corpus',
        'mean by the middleware engine what their rows say, or are refused by a sentence',
      ),
      yes(
        'trigger/lists',
        'carry each element in the form of its kind, in their order, as the schema promises',
      ),
    ),
    each(
      'schemas of other people: 52 of one feature or trap each',
      yes(
        'corpus/corpus',
        'mean by the middleware engine what their rows say, or are refused by a sentence',
        'ten are refused at start: keys of several fields, lists, cascades onto the same table, relationMode = "prisma"',
      ),
      yes('corpus/corpus', 'mean by the trigger engine what their rows say'),
    ),
    each(
      'schemas drawn at random',
      yes('corpus/random', 'mean by the middleware engine what their rows say'),
      yes('corpus/random', 'mean by the trigger engine what their rows say'),
    ),
    each(
      'links of implicit many-to-many relations',
      refused('capture/cascades', 'refuses a rule about links, and names the way out'),
      yes('trigger/links', 'have an event each, with both keys, in the order of the statement'),
    ),
    each(
      'rules on null (`becomes` null or `notNull`: soft delete and back)',
      yes('unit/capture/mapping', 'tell a soft delete and its reversal, and not another time of the same'),
      yes('trigger/softDelete', 'tells a soft delete and its reversal, and not another time of the same'),
    ),
    both('databases other than Postgres', absent('the log rests on Postgres’ snapshots')),
  ],
};
