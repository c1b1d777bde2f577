import Ajv2020 from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import fc from 'fast-check';
import { z } from 'zod';
import { dataPattern, dataSchema, defineAggregate } from '../../../src/events/aggregate';
import { catalogue } from '../../../src/healthcore/catalogue';
import { dataFaults } from '../../../src/events/checkData';
import * as kind from '../../../src/events/fields';

const { nullable } = kind;
/** One field of each kind, and an event that carries it. */
const fields = {
  uuid: kind.uuid('uuid', 'identifier'),
  text: kind.text('text', 'operational'),
  datetime: kind.datetime('datetime', 'operational'),
  date: kind.date('date', 'operational'),
  int: kind.int('int', 'operational'),
  bigint: kind.bigint('bigint', 'operational'),
  decimal: kind.decimal('decimal', 'operational'),
  float: kind.float('float', 'operational'),
  boolean: kind.boolean('boolean', 'operational'),
  bytes: kind.bytes('bytes', 'operational'),
  json: kind.json('json', 'operational'),
  enum: kind.oneOf('enum', 'operational', ['GOOD', 'BAD']),
};
type Kind = keyof typeof fields;
const kinds = Object.keys(fields) as Kind[];

const ruleOf = (name: string, optional: boolean) => {
  const field = fields[name as Kind] as kind.Field;
  const aggregate = defineAggregate({
    type: 'thing',
    model: 'Thing',
    key: name,
    version: '1.0',
    fields: { [name]: optional ? nullable(field) : field },
    events: { 'thing.made': { on: 'create', carries: [] } },
  });
  const rule = { on: 'create', carries: [name] } as const;
  return { schema: dataSchema(aggregate, rule), pattern: dataPattern(aggregate, rule) };
};

/** Texts that look like values of some kind, and values that are almost one. */
const nearly = fc.oneof(
  fc.uuid(),
  fc.constantFrom('11111111-1111-1111-1111-111111111111', 'FFFFFFFF-ffff-0000-0000-000000000000', '{}', ''),
  fc
    .date({ min: new Date('-000100-01-01'), max: new Date('+012000-01-01'), noInvalidDate: true })
    .map(String),
  fc
    .date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
    .chain((date) => fc.constantFrom(date.toISOString(), date.toISOString().slice(0, 10))),
  fc.constantFrom(
    '2023-02-29',
    '2024-02-29',
    '2023-02-31T00:00:00.000Z',
    '0000-01-01',
    'infinity',
    '10000-01-01',
  ),
  fc.constantFrom('2023-01-31T24:00:00.000Z', '2023-01-31T10:00:00.000+01:00', '2023-01-31T10:00Z'),
  fc.integer(),
  fc.double(),
  fc.constantFrom(-0, 5e-324, 1e21, 1e-7, 2 ** 53, -(2 ** 53), 1.5),
  fc.bigInt().map(String),
  fc.constantFrom('NaN', 'Infinity', '-0', '1.', '.5', '1e5', '-1.50', '+1', '0x1'),
  fc.boolean(),
  fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('base64')),
  fc.constantFrom('GOOD', 'BAD', 'good', 'GOODBAD', 'AA=', 'AAAA\n'),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('"', '\\', '","x":"', '\u2028', '\ud800', '\0'),
  fc.jsonValue(),
  fc.constant(null),
);

const ajv = new Ajv2020({ strict: true });
addFormats(ajv);

describe.each(kinds.flatMap((name) => [[name, false] as const, [name, true] as const]))(
  'the data of an event with a field of kind %s (may be null: %s)',
  (name, optional) => {
    const { schema, pattern } = ruleOf(name, optional);
    const validate = ajv.compile(z.toJSONSchema(schema, { io: 'input' }));
    const sent = fc.oneof({ arbitrary: nearly, weight: 9 }, { arbitrary: fc.constant(undefined), weight: 1 });
    const runs = { numRuns: 400, seed: 9 };

    it('are judged alike by the schema of consumers here and the one of those in other languages', () => {
      fc.assert(
        fc.property(sent, (value) => {
          const data: unknown = JSON.parse(JSON.stringify({ [name]: value }));
          expect([data, validate(data)]).toEqual([data, schema.safeParse(data).success]);
        }),
        runs,
      );
    });

    it('are recognised without being parsed only if the schema accepts them', () => {
      fc.assert(
        fc.property(sent, fc.constantFrom('', ' ', ',"more":1'), (value, more) => {
          const text = JSON.stringify({ [name]: value })
            .replace(/\}$/, `${more}}`)
            .replace('{,', '{');
          if (pattern?.test(text))
            expect([text, schema.safeParse(JSON.parse(text)).success]).toEqual([text, true]);
        }),
        runs,
      );
    });
  },
);

const rescheduled = {
  appointment_id: '11111111-1111-1111-1111-111111111111',
  patient_id: 'abcdef01-2345-6789-abcd-ef0123456789',
  practitioner: 'Dr "Ä" \\ \u2028',
  starts_at: '2026-01-05T19:00:00.000Z',
  ends_at: '9999-12-28T20:00:00.999Z',
  status: 'BOOKED',
  previous_starts_at: '0001-01-05T19:00:00.000Z',
  previous_ends_at: '2026-01-05T20:00:00.000Z',
};
const updated = {
  patient_id: rescheduled.patient_id,
  name: '',
  email: 'a',
  phone: null,
  changed_fields: ['name', 'email'],
};

/** What the schema was asked, when nothing else would do. */
function faultsOf(eventType: string, text: string): { faults: string | undefined; parsed: boolean } {
  const definition = catalogue.find(eventType);
  if (!definition) throw new Error(eventType);
  let parsed = false;
  const data = {
    safeParse: (value: unknown) => {
      parsed = true;
      return definition.data.safeParse(value);
    },
  } as z.ZodType;
  return { faults: dataFaults({ ...definition, data }, text), parsed };
}

describe('what the relay asks of the data of an event', () => {
  it.each([
    ['appointment.rescheduled', rescheduled],
    ['patient.updated', updated],
    ['patient.updated', { ...updated, phone: '1', changed_fields: [] }],
  ])('is answered without parsing for %s as the engines write it', (eventType, data) => {
    expect(faultsOf(eventType, JSON.stringify(data))).toEqual({ faults: undefined, parsed: false });
  });

  it.each([
    ['another order', { ...updated, name: undefined, x: 1 }, 'data.name: invalid_type'],
    ['a field that is not known yet', { ...updated, x: 1 }, undefined],
    ['a text of 20,000 characters', { ...updated, name: 'x'.repeat(20_000) }, undefined],
    [
      'a list with something else',
      { ...updated, changed_fields: [1] },
      'data.changed_fields.0: invalid_type',
    ],
    ['an id that is none', { ...updated, patient_id: 'MARKER' }, 'data.patient_id: invalid_format'],
  ])('is answered by the schema for %s, and names no value', (_what, data, faults) => {
    expect(faultsOf('patient.updated', JSON.stringify(data))).toEqual({ faults, parsed: true });
  });

  it('accepts the 31st of a month, and not the 31st of February', () => {
    const on = (starts_at: string) => JSON.stringify({ ...rescheduled, starts_at });
    expect(faultsOf('appointment.rescheduled', on('2026-01-31T00:00:00.000Z')).faults).toBeUndefined();
    expect(faultsOf('appointment.rescheduled', on('2026-02-31T00:00:00.000Z')).faults).toBe(
      'data.starts_at: invalid_format',
    );
  });

  it.each(['5', '[]', 'null', '"x"'])('refuses data that are %s', (text) => {
    expect(faultsOf('patient.updated', text).faults).toBe('data: invalid_type');
  });
});
