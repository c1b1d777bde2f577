import { withContext } from '../../../src/outbox/context';
import { contextComments } from '../../../src/outbox/prisma/contextComments';
import { contextKeys } from '../../../src/outbox/prisma/adapter/statements/contextComment';
import {
  capturedStatements,
  markedComments,
  silentStatements,
  statementMode,
} from '../../../src/outbox/prisma/statementComments';

const stamp = contextComments({ source: 'clinic' });
const tags = (action: string): Readonly<Record<string, string | undefined>> => stamp({ query: { action } });

const outside = { actor: '', causation_id: '', correlation_id: '', source: 'clinic', traceparent: '' };

describe('the comments of the trigger engine', () => {
  it('carry the context of the request in whose course the statement is sent', () => {
    const context = { correlationId: 'c1', causationId: 'e1', actor: 'user:42', traceparent: '00-a-b-01' };
    expect(withContext(context, () => tags('updateOne'))).toEqual({
      correlation_id: 'c1',
      causation_id: 'e1',
      actor: 'user:42',
      traceparent: '00-a-b-01',
      source: 'clinic',
    });
  });

  it('have all their keys, whatever the context holds: the triggers read this one form fastest', () => {
    expect(tags('createOne')).toEqual(outside);
    expect(Object.keys(tags('createOne')).sort()).toEqual([...contextKeys]);
  });

  it('are on raw SQL, which may write, but not on reads', () => {
    expect(tags('queryRaw')).toEqual(outside);
    expect(tags('executeRaw')).toEqual(outside);
    expect(tags('findMany')).toEqual({});
    expect(tags('aggregate')).toEqual({});
  });

  it.each([
    ['half a surrogate pair', 'a\uD800b', 'a\uFFFDb'],
    ['a NUL', 'a\0b', 'ab'],
    ['nothing', '', ''],
    ['an emoji', 'dr 🩺', 'dr 🩺'],
  ])('hold a value with %s in a form that can be encoded', (_what, actor, expected) => {
    expect(withContext({ actor }, () => tags('createOne')['actor'])).toBe(expected);
  });

  it('cut a long value, between characters', () => {
    const actor = withContext({ actor: '🩺'.repeat(5_000) }, () => tags('createOne')['actor']) ?? '';
    expect(encodeURIComponent(actor).length).toBeLessThanOrEqual(300);
    expect(actor).toMatch(/^(🩺)+$/u);
    const plain = withContext({ actor: 'x'.repeat(5_000) }, () => tags('createOne')['actor']);
    expect(plain).toBe('x'.repeat(300));
  });
});

describe('the mark of the middleware engine', () => {
  const mark = markedComments();
  const marked = (action: string, sql: string): unknown =>
    statementMode.run(capturedStatements, () => mark({ query: { action }, sql }));

  it('is on the writes of models, with the table that they name', () => {
    const patients = { signalbox: 'middleware.patients' };
    expect(marked('createOne', 'INSERT INTO "public"."patients" ("id") VALUES ($1)')).toEqual(patients);
    expect(marked('updateManyAndReturn', 'UPDATE "patients" SET "a" = 1')).toEqual(patients);
    expect(marked('deleteMany', 'DELETE FROM "public"."patients" WHERE 1=1')).toEqual(patients);
    const odd = marked('deleteMany', 'DELETE FROM "a""b"."c""d.e" WHERE 1=1');
    expect(odd).toEqual({ signalbox: 'middleware.c"d.e' });
  });

  it('is neither on raw SQL nor on what reads', () => {
    expect(marked('executeRaw', 'UPDATE "patients" SET "a" = 1')).toEqual({});
    expect(marked('queryRaw', 'UPDATE "patients" SET "a" = 1')).toEqual({});
    expect(marked('findMany', 'SELECT 1')).toEqual({});
    expect(marked('updateOne', 'SELECT 1')).toEqual({});
  });

  it('is on no statement that capture did not send', () => {
    expect(mark({ query: { action: 'createOne' }, sql: 'INSERT INTO "patients" VALUES (1)' })).toEqual({});
  });

  it('says of everything that may write without capture, raw SQL too, that it is to have no event', () => {
    for (const comments of [mark, stamp]) {
      const silent = (action: string): unknown =>
        statementMode.run(silentStatements, () => comments({ query: { action }, sql: 'DELETE FROM a' }));
      expect([silent('deleteMany'), silent('executeRaw')]).toEqual([
        { signalbox: 'none' },
        { signalbox: 'none' },
      ]);
      expect(silent('findMany')).toEqual({});
    }
  });
});
