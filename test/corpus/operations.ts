import type * as DMMF from '@prisma/dmmf';
import { nestedOperations } from './nestedOperations';
import { type Data, plainFields, type World } from './world';

/** Something to do with a model. */
export interface Operation {
  readonly name: string;
  /** Whether it is raw SQL, which the middleware engine refuses. */
  readonly raw?: boolean;
  /** Makes the rows that it needs, and returns what does it. */
  prepare(world: World): Promise<() => Promise<unknown>>;
}

/** Every operation of Prisma's that writes, with a model. */
export function operationsOf(model: DMMF.Model): Operation[] {
  return [
    ...creating(model),
    ...updating(model),
    ...plainFields(model).flatMap((field) => fieldOperations(model, field)),
    ...deleting(model),
    ...transactions(model),
    ...rawSql(model),
    ...nestedOperations(model),
  ];
}

function creating(model: DMMF.Model): Operation[] {
  const call = (method: string, build: (world: World) => Promise<object>): Operation => ({
    name: `${model.name}.${method}`,
    prepare: async (world) => {
      const args = await build(world);
      return async () => world.delegate(model)[method]?.(args);
    },
  });
  const two = async (world: World): Promise<object> => ({
    data: [await world.scalars(model), await world.scalars(model, { optional: false })],
  });
  return [
    call('create', async (world) => ({ data: await world.scalars(model) })),
    call('create', async (world) => ({ data: await world.scalars(model, { optional: false }) })),
    call('createMany', two),
    call('createManyAndReturn', two),
    call('upsert', async (world) => {
      const row = await world.make(model);
      return {
        where: world.where(model, row),
        create: await world.scalars(model),
        update: world.changes(model),
      };
    }),
    call('upsert', async (world) => {
      const row = await world.make(model);
      const where = world.where(model, row);
      await world.delegate(model)['delete']?.({ where });
      return { where, create: await world.scalars(model), update: world.changes(model) };
    }),
  ];
}

function updating(model: DMMF.Model): Operation[] {
  const one = (name: string, method: string, build: (world: World, row: Data) => object): Operation => ({
    name: `${model.name}.${name}`,
    prepare: async (world) => {
      const row = await world.make(model);
      const args = build(world, row);
      return async () => world.delegate(model)[method]?.(args);
    },
  });
  const many = (world: World, row: Data): object => ({
    where: flat(world.where(model, row)),
    data: world.changes(model),
  });
  const nothing = (row: Data): Data =>
    Object.fromEntries(plainFields(model).map(({ name }) => [name, row[name]]));
  return [
    one('update', 'update', (world, row) => ({ where: world.where(model, row), data: world.changes(model) })),
    one('updateMany of one', 'updateMany', many),
    one('updateManyAndReturn', 'updateManyAndReturn', many),
    one('update to a new key', 'update', (world, row) => ({
      where: world.where(model, row),
      data: newKey(world, model),
    })),
    ...(model.fields.some(({ type }) => type === 'Json')
      ? []
      : [
          one('update to the same values', 'update', (world, row) => ({
            where: world.where(model, row),
            data: nothing(row),
          })),
        ]),
  ];
}

/** Each field alone, for one row and for all; and to null where it may be. */
function fieldOperations(model: DMMF.Model, field: DMMF.Field): Operation[] {
  const of = (name: string, method: string, build: (world: World, row: Data) => object): Operation => ({
    name: `${model.name}.${name} of ${field.name}`,
    prepare: async (world) => {
      const row = await world.make(model);
      const args = build(world, row);
      return async () => world.delegate(model)[method]?.(args);
    },
  });
  const next = (world: World): Data => ({ [field.name]: world.values.next(field) });
  const nullable = !field.isRequired && !field.isList && field.type !== 'Json';
  return [
    of('update', 'update', (world, row) => ({ where: world.where(model, row), data: next(world) })),
    ...(field.isUnique ? [] : [of('updateMany', 'updateMany', (world) => ({ data: next(world) }))]),
    ...(nullable
      ? [
          of('update to null', 'update', (world, row) => ({
            where: world.where(model, row),
            data: { [field.name]: null },
          })),
        ]
      : []),
  ];
}

function deleting(model: DMMF.Model): Operation[] {
  return [
    {
      name: `${model.name}.delete`,
      prepare: async (world) => {
        const where = world.where(model, await world.make(model));
        return async () => world.delegate(model)['delete']?.({ where });
      },
    },
    {
      name: `${model.name}.deleteMany`,
      prepare: async (world) => {
        const rows = [await world.make(model), await world.make(model)];
        const where = { OR: rows.map((row) => flat(world.where(model, row))) };
        return async () => world.delegate(model)['deleteMany']?.({ where });
      },
    },
  ];
}

function transactions(model: DMMF.Model): Operation[] {
  return [
    {
      name: `batch with ${model.name}`,
      prepare: async (world) => {
        const where = world.where(model, await world.make(model));
        const data = await world.scalars(model);
        const { create, delete: remove } = world.delegate(model);
        return async () =>
          (world.client as unknown as Transacting).$transaction([create?.({ data }), remove?.({ where })]);
      },
    },
    ...([false, true] as const).map((fails): Operation => ({
      name: `interactive transaction with ${model.name}${fails ? ' that is rolled back' : ''}`,
      prepare: async (world) => {
        const where = world.where(model, await world.make(model));
        const data = await world.scalars(model);
        const work = async (tx: World['client']): Promise<void> => {
          const inside = world.on(tx).delegate(model);
          await inside['create']?.({ data });
          await inside['delete']?.({ where });
          if (fails) throw new RolledBack();
        };
        return async () => (world.client as unknown as Transacting).$transaction(work);
      },
    })),
  ];
}

interface Transacting {
  $transaction(work: unknown): Promise<unknown>;
}

/** What an operation of the corpus throws to undo its own transaction. */
export class RolledBack extends Error {}

function rawSql(model: DMMF.Model): Operation[] {
  const table = `${model.schema == null ? '' : `${quoted(model.schema)}.`}${quoted(model.dbName ?? model.name)}`;
  const [field] = plainFields(model).filter(
    ({ type, isUnique, isList }) => type === 'String' && !isUnique && !isList,
  );
  const run = (name: string, sql: string): Operation => ({
    name: `${name} ${model.name}`,
    raw: true,
    prepare: async (world) => {
      await world.make(model);
      await world.make(model);
      const { client } = world as unknown as { client: Raw };
      return async () => client.$executeRawUnsafe(sql);
    },
  });
  return [
    ...(field && !field.nativeType
      ? [run('UPDATE', `UPDATE ${table} SET ${quoted(field.dbName ?? field.name)} = 'raw'`)]
      : []),
    run('DELETE FROM', `DELETE FROM ${table}`),
  ];
}

interface Raw {
  $executeRawUnsafe(sql: string): Promise<number>;
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** A filter without the name of a key of several fields. */
const flat = (where: Data): Data => {
  const [value] = Object.values(where);
  return typeof value === 'object' && value !== null && !(value instanceof Date) ? (value as Data) : where;
};

function newKey(world: World, model: DMMF.Model): Data {
  const names = model.primaryKey?.fields ?? model.fields.filter(({ isId }) => isId).map(({ name }) => name);
  const foreign = new Set(model.fields.flatMap(({ relationFromFields }) => relationFromFields ?? []));
  const fields = model.fields.filter(({ name }) => names.includes(name) && !foreign.has(name));
  return Object.fromEntries(
    fields.map((field) => [
      field.name,
      field.type === 'Int' ? 1_000_000 + Number(world.values.next(field)) : world.values.next(field),
    ]),
  );
}
