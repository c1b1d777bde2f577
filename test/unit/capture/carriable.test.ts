import { catalogue } from '../../../src/healthcore/catalogue';
import * as kind from '../../../src/events/fields';
import type { Aggregate } from '../../../src/events/aggregate';
import { dataSchema } from '../../../src/events/aggregate';
import { Prisma } from '../../../src/generated/prisma/client';
import { explicitEvent } from '../../../src/outbox/explicitEvent';
import { mapChange } from '../../../src/outbox/mapping';

const fields = {
  uuid: kind.uuid('uuid', 'operational'),
  datetime: kind.datetime('datetime', 'operational'),
  date: kind.date('date', 'operational'),
  decimal: kind.decimal('decimal', 'operational'),
  float: kind.float('float', 'operational'),
  json: kind.json('json', 'operational'),
};
type Kind = keyof typeof fields;

/** What the middleware's event of a row with this value carries. */
function carried(name: Kind, value: unknown): unknown {
  const events = { 'thing.made': { on: 'create', carries: [name] } } as const;
  const key = { id: kind.text('id', 'identifier'), ...fields };
  const thing: Aggregate = { type: 'thing', model: 'Thing', key: 'id', version: '1.0', fields: key, events };
  const [event] = mapChange(thing, undefined, { id: '1', [name]: value });
  const data = JSON.parse(JSON.stringify(event?.data)) as Record<string, unknown>;
  expect(dataSchema(thing, events['thing.made']).safeParse(data).success).toBe(true);
  return data[name];
}

const deep = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`) as unknown;

describe('the middleware engine', () => {
  it.each<[Kind, unknown, unknown]>([
    ['uuid', '11111111-1111-1111-1111-111111111111', '11111111-1111-1111-1111-111111111111'],
    ['datetime', new Date('0001-01-01T00:00:00Z'), '0001-01-01T00:00:00.000Z'],
    ['datetime', new Date('9999-12-31T23:59:59.999Z'), '9999-12-31T23:59:59.999Z'],
    ['date', new Date('9999-12-31'), '9999-12-31'],
    ['decimal', new Prisma.Decimal('-1.50'), '-1.5'],
    ['float', -0, 0],
    ['float', Number.NaN, null],
    ['float', Number.NEGATIVE_INFINITY, null],
    ['json', { a: [null, '\u2028', 1.5] }, { a: [null, '\u2028', 1.5] }],
  ])('lets an event carry a %s of %p', (name, value, expected) => {
    expect(carried(name, value)).toEqual(expected);
  });

  it.each<[Kind, unknown]>([
    ['uuid', ''],
    ['uuid', 'x11111111-1111-1111-1111-111111111111'],
    ['uuid', '11111111-1111-1111-1111-111111111111\n'],
    ['datetime', new Date(Number.NaN)],
    ['datetime', new Date('0000-12-31T23:59:59.999Z')],
    ['datetime', new Date('+010000-01-01T00:00:00Z')],
    ['datetime', '2026-01-01T00:00:00.000Z'],
    ['date', new Date('-000043-03-15')],
    ['decimal', new Prisma.Decimal(Number.NaN)],
    ['decimal', new Prisma.Decimal(Number.POSITIVE_INFINITY)],
    ['json', { a: 'x\0' }],
    ['json', { 'a\0': 1 }],
    ['json', ['\ud800']],
    ['json', [[Number.POSITIVE_INFINITY]]],
  ])('refuses a write whose event would carry a %s of %p', (name, value) => {
    expect(() => carried(name, value)).toThrow(
      `The field "thing.${name}" holds a value that no event can carry: events carry ${kind.carriable[name]}`,
    );
  });

  it('looks into JSON that is nested deeper than the stack', () => {
    const key = { id: kind.text('id', 'identifier'), json: fields.json };
    const events = { 'thing.made': { on: 'create', carries: ['json'] } } as const;
    const thing: Aggregate = {
      type: 'thing',
      model: 'Thing',
      key: 'id',
      version: '1.0',
      fields: key,
      events,
    };
    expect(mapChange(thing, undefined, { id: '1', json: deep })).toHaveLength(1);
  });
});

describe('an explicit event', () => {
  const mail = { to: 'ada@example.com', subject: 'Hello', text: 'x' };

  it.each([
    ['a NUL', 'a', { ...mail, text: '\0' }],
    ['half a surrogate pair', 'a', { ...mail, subject: 'x\udc00' }],
    ['a NUL in a field that is not known', 'a', { ...mail, more: { deep: ['\0'] } }],
    ['a NUL in the aggregate’s id', '\0', mail],
  ])('is refused with %s, which consumers’ databases do not store', (_what, id, data) => {
    expect(() => explicitEvent(catalogue, 'email.send', id, data)).toThrow(
      `events carry ${kind.carriable.json}`,
    );
  });

  it('may go to an address with punycode and an ampersand', () => {
    const to = 'r&d@xn--bcher-kva.example';
    expect(explicitEvent(catalogue, 'email.send', 'a', { ...mail, to }).data).toMatchObject({ to });
  });
});
