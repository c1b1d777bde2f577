import { type CapturableModel, type ModelField, readModels } from '../../src/cli/init/models';
import type { Aggregate, EventRule } from '../../src/events/aggregate';
import { type Catalogue, defineCatalogue } from '../../src/events/catalogue';
import * as fields from '../../src/events/fields';
import { readTables } from '../../src/outbox/prisma/schema/tables';

/**
 * A catalogue in which every change of every model is an event that carries all fields, as `init` reads the schema; and
 * with `links` every link of an implicit many-to-many relation.
 */
export function catalogueOf(schema: string, { links = false } = {}): Catalogue {
  const { capturable } = readModels(schema);
  const tables = readTables(schema);
  return defineCatalogue({
    aggregates: capturable.map((model) => {
      const aggregate = aggregateOf(model);
      if (!links) return aggregate;
      const joins = [...(tables.get(model.name)?.joins ?? [])];
      const rules = joins.flatMap(([relation, { target }]) => linkRules(model, relation, capturable, target));
      return { ...aggregate, events: { ...aggregate.events, ...Object.fromEntries(rules) } };
    }),
  });
}

function linkRules(
  { name: type, key }: CapturableModel,
  relation: string,
  models: readonly CapturableModel[],
  target: string,
): [string, EventRule][] {
  const model = models.find(({ name }) => name === target);
  const id = model?.fields.find(({ name }) => name === model.key[0]);
  if (!id) throw new Error(`The model ${target} has no key`);
  const other = { ...singleOf({ ...id, name: `${relation}_id` }), class: 'operational' as const };
  const rule = { relation, carries: key, other };
  return [
    [`${type}.${relation}.linked`, { on: 'link', ...rule }],
    [`${type}.${relation}.unlinked`, { on: 'unlink', ...rule }],
  ];
}

function aggregateOf(model: CapturableModel): Aggregate {
  const all = model.fields.map(({ name }) => name);
  const others = all.filter((name) => !model.key.includes(name));
  const [first = '', second, ...more] = model.key;
  const { name: type } = model;
  return {
    type,
    model: type,
    key: second === undefined ? first : [first, second, ...more],
    version: '1.0',
    fields: Object.fromEntries(model.fields.map((field) => [field.name, fieldOf(field)])),
    events: {
      [`${type}.created`]: { on: 'create', carries: all },
      ...(others.length > 0 && {
        [`${type}.updated`]: {
          on: 'update',
          when: { changed: others },
          carries: all,
          previous: others,
          changedFields: true,
        },
      }),
      [`${type}.deleted`]: { on: 'delete', carries: all },
    },
  };
}

function fieldOf(field: ModelField): fields.Field {
  const single = singleOf(field);
  if (field.list) return fields.list(single);
  return field.nullable ? fields.nullable(single) : single;
}

const makers = {
  uuid: fields.uuid,
  text: fields.text,
  datetime: fields.datetime,
  date: fields.date,
  int: fields.int,
  bigint: fields.bigint,
  decimal: fields.decimal,
  float: fields.float,
  boolean: fields.boolean,
  bytes: fields.bytes,
  json: fields.json,
};

function singleOf({ name, maker, values = [] }: ModelField): fields.Field {
  const [first = '', ...others] = values;
  if (maker === 'oneOf') return fields.oneOf(name, 'operational', [first, ...others]);
  const make = makers[maker as keyof typeof makers];
  return make(name, 'operational');
}
