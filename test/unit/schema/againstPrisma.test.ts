import { getDMMF } from '@prisma/get-dmmf';
import type * as DMMF from '@prisma/dmmf';
import fc from 'fast-check';
import { hasForeignKeys, readRelations } from '../../../src/outbox/prisma/schema/relations';
import { readTables } from '../../../src/outbox/prisma/schema/tables';
import { type GeneratedSchema, generateSchema } from './generated';
import { Spelling } from './spelling';

/** What Prisma's own parser says of the same text. */
function prismaReads(files: readonly string[]): DMMF.Datamodel {
  const document = getDMMF({ datamodel: files.map((text, at): [string, string] => [`${at}.prisma`, text]) });
  if ('error' in document) throw new Error(`Prisma refuses what was generated: ${document.error.message}`);
  return document.datamodel;
}

const isColumn = ({ kind }: DMMF.Field): boolean => kind !== 'object';

/** Whether a field and its other end are both lists. */
function isJoined(models: readonly DMMF.Model[], model: DMMF.Model, field: DMMF.Field): boolean {
  const inverse = models
    .find(({ name }) => name === field.type)
    ?.fields.find(
      (other) => other !== field && other.relationName === field.relationName && other.type === model.name,
    );
  return field.isList && inverse?.isList === true;
}

function expectedTables({ models, enums }: DMMF.Datamodel, { views }: GeneratedSchema) {
  const labels = new Map(
    enums.map(({ name, values }) => [name, values.map((value) => [value.dbName ?? value.name, value.name])]),
  );
  return models
    .filter(({ name }) => !views.has(name))
    .map((model) => ({
      model: model.name,
      name: model.dbName ?? model.name,
      schema: model.schema ?? undefined,
      columns: model.fields.filter(isColumn).map((field) => ({
        field: field.name,
        name: field.dbName ?? field.name,
        list: field.isList,
        nullable: !field.isRequired && !field.isList,
        unique: field.isId || field.isUnique,
        members: labels.get(field.type),
      })),
      id: model.primaryKey?.fields ?? model.fields.filter(({ isId }) => isId).map(({ name }) => name),
      joins: model.fields.filter((field) => isJoined(models, model, field)).map(({ name }) => name),
      relationFields: model.fields.filter((field) => !isColumn(field)).map(({ name }) => name),
      keys: [
        ...new Set([
          ...model.fields.filter(({ isId, isUnique }) => isId || isUnique).map(({ name }) => name),
          ...(model.primaryKey ? [model.primaryKey.fields.join()] : []),
          ...model.uniqueFields.map((fields) => fields.join()),
        ]),
      ].sort(),
      uniqueFields: [
        ...new Set([
          ...model.fields.filter(({ isId, isUnique }) => isId || isUnique).map(({ name }) => name),
          ...(model.primaryKey?.fields ?? []),
          ...model.uniqueFields.flat(),
        ]),
      ].sort(),
    }));
}

function readAsTables(text: string, { hidden, partial }: GeneratedSchema) {
  return [...readTables(text).values()].map(
    ({ columns, id, joins, keys, relationFields, uniqueFields, ...table }) => ({
      ...table,
      columns: [...columns]
        .filter(([field]) => !hidden.includes(`${table.model}.${field}`))
        .map(([field, { members, ...column }]) => ({ field, ...column, members: members && [...members] })),
      id: [...id],
      joins: [...joins.keys()].filter((field) => !hidden.includes(`${table.model}.${field}`)),
      relationFields: [...relationFields].filter((field) => !hidden.includes(`${table.model}.${field}`)),
      keys: [...new Set(keys.map((fields) => fields.join()))]
        .filter((key) => !hidden.includes(`${table.model}.${key}`))
        .sort(),
      uniqueFields: [...uniqueFields]
        .filter((field) => ![...partial, ...hidden].includes(`${table.model}.${field}`))
        .sort(),
    }),
  );
}

function expectedRelations({ models }: DMMF.Datamodel, { views }: GeneratedSchema) {
  return models
    .filter(({ name }) => !views.has(name))
    .flatMap((model) =>
      model.fields
        .filter(({ relationFromFields }) => (relationFromFields ?? []).length > 0)
        .map((field) => {
          const keys = field.relationFromFields ?? [];
          const keyFields = model.fields.filter(({ name }) => keys.includes(name));
          const inverse = models
            .find(({ name }) => name === field.type)
            ?.fields.find((other) => other !== field && other.relationName === field.relationName);
          const canBeNull = !field.isRequired && keyFields.every(({ isRequired }) => !isRequired);
          return {
            model: model.name,
            field: field.name,
            keys,
            target: field.type,
            references: field.relationToFields,
            inverse: inverse?.name,
            optional: !field.isRequired,
            defaulted: keyFields.some(({ hasDefaultValue }) => hasDefaultValue),
            onDelete: field.relationOnDelete ?? (canBeNull ? 'SetNull' : 'Restrict'),
            onUpdate: field.relationOnUpdate ?? 'Cascade',
            manyToOne: inverse?.isList,
          };
        }),
    );
}

/** In `npm test` the same ones each time; SCHEMA_SEED and SCHEMA_RUNS look further. */
const { SCHEMA_SEED = '1', SCHEMA_RUNS = '100' } = process.env;

it('reads any schema as Prisma’s own parser does, however it is spelled', () => {
  fc.assert(
    fc.property(fc.noShrink(fc.integer()), (seed) => {
      const schema = generateSchema(new Spelling(seed));
      const text = schema.files.join('\n');
      try {
        const prisma = prismaReads(schema.files);
        expect(readAsTables(text, schema)).toEqual(expectedTables(prisma, schema));
        expect(readRelations(text)).toEqual(expectedRelations(prisma, schema));
        expect(hasForeignKeys(text)).toBe(schema.relationMode !== 'prisma');
      } catch (error) {
        throw new Error(`${(error as Error).message}\nThe schema was:\n${text}`, { cause: error });
      }
    }),
    { seed: Number(SCHEMA_SEED), numRuns: Number(SCHEMA_RUNS) },
  );
});
