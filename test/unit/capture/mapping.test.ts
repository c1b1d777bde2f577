import { Prisma } from '../../../src/generated/prisma/client';
import { defineAggregate } from '../../../src/events/aggregate';
import {
  bigint,
  boolean,
  bytes,
  date,
  datetime,
  decimal,
  float,
  int,
  json,
  nullable,
  oneOf,
  restricted,
  text,
} from '../../../src/events/fields';
import { notNull } from '../../../src/events/notNull';
import { mapChange, mapChanges, type Row } from '../../../src/outbox/mapping';

const everything = defineAggregate({
  type: 'thing',
  model: 'Thing',
  key: 'nr',
  version: '2.1',
  fields: {
    nr: bigint('thing_nr', 'identifier'),
    hiddenAt: restricted('hidden_at'),
    label: nullable(text('label', 'operational')),
    at: datetime('at', 'operational'),
    on: nullable(date('on', 'operational')),
    count: int('count', 'operational'),
    price: decimal('price', 'operational'),
    ratio: float('ratio', 'operational'),
    open: boolean('open', 'operational'),
    raw: bytes('raw', 'operational'),
    extra: nullable(json('extra', 'operational')),
    state: oneOf('state', 'operational', ['NEW', 'DONE']),
    born: restricted('born'),
  },
  events: {
    'thing.made': {
      on: 'create',
      carries: ['nr', 'label', 'at', 'on', 'count', 'price', 'ratio', 'open', 'raw', 'extra', 'state'],
    },
    'thing.repriced': {
      on: 'update',
      when: { changed: ['price', 'born'] },
      carries: ['price'],
      previous: ['price'],
      changedFields: true,
    },
    'thing.done': { on: 'update', when: { becomes: { field: 'state', value: 'DONE' } }, carries: ['nr'] },
    'thing.opened': { on: 'update', when: { becomes: { field: 'open', value: true } }, carries: ['nr'] },
    'thing.hidden': {
      on: 'update',
      when: { becomes: { field: 'hiddenAt', value: notNull } },
      carries: ['nr'],
    },
    'thing.shown': { on: 'update', when: { becomes: { field: 'hiddenAt', value: null } }, carries: ['nr'] },
    'thing.gone': { on: 'delete', carries: ['label'] },
  },
});

const row: Row = {
  nr: 9007199254740993n,
  hiddenAt: null,
  label: null,
  at: new Date('2030-05-06T07:08:09.010Z'),
  on: new Date('2030-05-06T00:00:00.000Z'),
  count: 7,
  price: new Prisma.Decimal('12345678901234567890.10'),
  ratio: 0.5,
  open: false,
  raw: new Uint8Array([0, 255, 16]),
  extra: { b: [1, null], a: 'x' },
  state: 'NEW',
  born: new Date('1990-01-01T00:00:00.000Z'),
};

const typesOf = (before: Row | undefined, after: Row | undefined): string[] =>
  mapChange(everything, before, after).map(({ eventType }) => eventType);

describe('the events that a change means', () => {
  it('carry each kind of value in its form on the wire, every digit kept', () => {
    expect(mapChange(everything, undefined, row)).toEqual([
      {
        eventType: 'thing.made',
        version: '2.1',
        aggregateType: 'thing',
        aggregateId: '9007199254740993',
        data: {
          thing_nr: '9007199254740993',
          label: null,
          at: '2030-05-06T07:08:09.010Z',
          on: '2030-05-06',
          count: 7,
          price: '12345678901234567890.1',
          ratio: 0.5,
          open: false,
          raw: 'AP8Q',
          extra: { b: [1, null], a: 'x' },
          state: 'NEW',
        },
      },
    ]);
    const odd = { ...row, price: new Prisma.Decimal('1e-10'), ratio: Number.NaN, extra: null, on: null };
    expect(mapChange(everything, undefined, odd)[0]?.data).toMatchObject({
      price: '0.0000000001',
      ratio: null,
      extra: null,
      on: null,
    });
  });

  it('are none when no listed field changed, though the values are other objects', () => {
    const copy = {
      ...row,
      price: new Prisma.Decimal('12345678901234567890.100'),
      raw: new Uint8Array([0, 255, 16]),
      born: new Date('1990-01-01T00:00:00.000Z'),
      extra: structuredClone(row['extra']),
      updatedAt: new Date(),
    };
    expect(typesOf(row, copy)).toEqual([]);
  });

  it('come in the catalogue’s order when one change means several', () => {
    expect(typesOf(row, { ...row, open: true, state: 'DONE', price: new Prisma.Decimal(1) })).toEqual([
      'thing.repriced',
      'thing.done',
      'thing.opened',
    ]);
  });

  it('name a restricted field that changed and never its value; what is gone has the values it had', () => {
    const [event] = mapChange(everything, row, { ...row, born: null });
    expect(event?.data).toEqual({
      price: '12345678901234567890.1',
      previous_price: '12345678901234567890.1',
      changed_fields: ['born'],
    });
    expect(mapChange(everything, { ...row, label: 'last' }, undefined)[0]?.data).toEqual({ label: 'last' });
  });

  it('tell a field that becomes a value from one that has it already', () => {
    const done = { ...row, state: 'DONE' };
    expect(typesOf(row, done)).toEqual(['thing.done']);
    expect(typesOf(done, done)).toEqual([]);
    expect(typesOf(done, row)).toEqual([]);
  });

  it('tell a soft delete and its reversal, and not another time of the same', () => {
    const hidden = { ...row, hiddenAt: new Date(0) };
    expect(typesOf(row, hidden)).toEqual(['thing.hidden']);
    expect(typesOf(hidden, { ...row, hiddenAt: new Date(1) })).toEqual([]);
    expect(typesOf(hidden, row)).toEqual(['thing.shown']);
    expect(typesOf(row, row)).toEqual([]);
  });

  it('of a new key are those of one row that went and one that came', () => {
    expect(
      mapChange(everything, row, { ...row, nr: 1n }).map((event) => [event.eventType, event.aggregateId]),
    ).toEqual([
      ['thing.gone', '9007199254740993'],
      ['thing.made', '1'],
    ]);
  });

  it('of many rows pair them by key: rows that were there first, then those that came', () => {
    const [a, b, c] = [1n, 2n, 3n].map((nr) => ({ ...row, nr }));
    const events = mapChanges(everything, [a, b] as Row[], [c, { ...b, state: 'DONE' }] as Row[]);
    expect(events.map((event) => [event.eventType, event.aggregateId])).toEqual([
      ['thing.gone', '1'],
      ['thing.done', '2'],
      ['thing.made', '3'],
    ]);
  });

  it('are an error, not a guess, when a row is incomplete or a value of another kind', () => {
    const { price: _, ...incomplete } = row;
    expect(() => mapChange(everything, undefined, incomplete)).toThrow('without its field "price"');
    expect(() => mapChange(everything, undefined, { ...row, at: '2030' })).toThrow(
      '"thing.at" holds a value that no event can carry: events carry a time in the years 1 to 9999',
    );
    expect(() => mapChange(everything, undefined, { ...row, nr: null })).toThrow(
      'The key "nr" of a thing is null',
    );
  });
});
