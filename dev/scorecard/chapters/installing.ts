import { absent, both, type Chapter, each, yes } from '../verdict';

/** Installing, watching and comparing. */
export const installing: Chapter = {
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
