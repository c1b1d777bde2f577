import type * as DMMF from '@prisma/dmmf';
import type { Operation } from './operations';
import { type Data, pointing, type World } from './world';

/** Every nested write of Prisma's, through each relation of a model. */
export function nestedOperations(model: DMMF.Model): Operation[] {
  return model.fields
    .filter(({ kind }) => kind === 'object')
    .flatMap((relation) => (relation.isList ? ofMany(model, relation) : ofOne(model, relation)));
}

type Build = (world: World, target: Data) => Promise<unknown>;

interface Side {
  readonly model: DMMF.Model;
  readonly relation: DMMF.Field;
}

const other = (world: World, { relation }: Side): DMMF.Model => world.model(relation.type);

/** The field of the other model that is the relation's other end. */
function inverseOf(world: World, side: Side): DMMF.Field | undefined {
  const { model, relation } = side;
  const same = model.name === relation.type;
  return other(world, side).fields.find(
    (field) =>
      field.relationName === relation.relationName &&
      field.type === model.name &&
      !(same && field.name === relation.name),
  );
}

/** Data of a new row at the other end, which the nested write itself links. */
async function fresh(world: World, side: Side): Promise<Data> {
  const inverse = inverseOf(world, side);
  return world.scalars(other(world, side), { except: inverse ? [inverse.name] : [] });
}

function nested(side: Side, name: string, write: Build): Operation {
  const { model, relation } = side;
  return {
    name: `${model.name}.update { ${relation.name}: ${name} }`,
    prepare: async (world) => {
      const row = await world.make(model);
      const target = await linked(world, side, row);
      const data = { [relation.name]: await write(world, target) };
      const args = { where: world.where(model, row), data };
      return async () => world.delegate(model)['update']?.(args);
    },
  };
}

/** Makes a row at the other end that is linked to this one. */
async function linked(world: World, side: Side, row: Data): Promise<Data> {
  const { model, relation } = side;
  const target = other(world, side);
  const inverse = inverseOf(world, side);
  if ((inverse?.relationFromFields ?? []).length > 0 && inverse) {
    const given = { ...(await world.scalars(target, { except: [inverse.name] })), ...pointing(inverse, row) };
    return (await world.delegate(target)['create']?.({ data: given })) as Data;
  }
  if (relation.isRequired && !relation.isList) {
    const found = await world.read(model, row, relation.name);
    return found[relation.name] as Data;
  }
  const made = await world.make(target);
  const holds = (relation.relationFromFields ?? []).length > 0;
  const data = holds ? pointing(relation, made) : { [relation.name]: { connect: world.where(target, made) } };
  await world.delegate(model)['update']?.({ where: world.where(model, row), data });
  return made;
}

function created(side: Side, name: string, write: Build): Operation {
  const { model, relation } = side;
  return {
    name: `${model.name}.create { ${relation.name}: ${name} }`,
    prepare: async (world) => {
      const data = {
        ...(await world.connected(model, relation.name)),
        [relation.name]: await write(world, {}),
      };
      return async () => world.delegate(model)['create']?.({ data });
    },
  };
}

function ofMany(model: DMMF.Model, relation: DMMF.Field): Operation[] {
  const side = { model, relation };
  const where = (world: World, row: Data): Data => world.where(other(world, side), row);
  const changes = (world: World): Data => world.changes(other(world, side));
  const connect: Build = async (world) => ({ connect: where(world, await world.make(other(world, side))) });
  const two: Build = async (world) => ({ create: [await fresh(world, side), await fresh(world, side)] });
  return [
    created(side, 'create', two),
    created(side, 'connect', connect),
    nested(side, 'create', two),
    nested(side, 'connect', connect),
    nested(side, 'connectOrCreate', async (world, target) => ({
      connectOrCreate: [
        { where: where(world, target), create: await fresh(world, side) },
        { where: where(world, await removed(world, side)), create: await fresh(world, side) },
      ],
    })),
    nested(side, 'disconnect', async (world, target) => ({ disconnect: where(world, target) })),
    nested(side, 'set', async (world) => ({ set: [where(world, await world.make(other(world, side)))] })),
    nested(side, 'set none', async () => ({ set: [] })),
    nested(side, 'update', async (world, target) => ({
      update: { where: where(world, target), data: changes(world) },
    })),
    nested(side, 'updateMany', async (world) => ({ updateMany: { where: {}, data: changes(world) } })),
    nested(side, 'upsert', async (world, target) => ({
      upsert: { where: where(world, target), create: await fresh(world, side), update: changes(world) },
    })),
    nested(side, 'delete', async (world, target) => ({ delete: where(world, target) })),
    nested(side, 'deleteMany', async () => ({ deleteMany: {} })),
    deletion(side),
  ];
}

function ofOne(model: DMMF.Model, relation: DMMF.Field): Operation[] {
  const side = { model, relation };
  const connect: Build = async (world) => ({
    connect: world.where(other(world, side), await world.make(other(world, side))),
  });
  const create: Build = async (world) => ({ create: await fresh(world, side) });
  return [
    created(side, 'create', create),
    created(side, 'connect', connect),
    nested(side, 'create', create),
    nested(side, 'connect', connect),
    nested(side, 'update', async (world) => ({ update: world.changes(other(world, side)) })),
    nested(side, 'upsert', async (world) => ({
      upsert: { create: await fresh(world, side), update: world.changes(other(world, side)) },
    })),
    ...(relation.isRequired
      ? []
      : [
          nested(side, 'disconnect', async () => ({ disconnect: true })),
          nested(side, 'delete', async () => ({ delete: true })),
        ]),
    deletion(side),
  ];
}

/** What referential actions do to the rows at the other end. */
function deletion(side: Side): Operation {
  const { model, relation } = side;
  return {
    name: `${model.name}.delete with ${relation.name}`,
    prepare: async (world) => {
      const row = await world.make(model);
      await linked(world, side, row);
      const where = world.where(model, row);
      return async () => world.delegate(model)['delete']?.({ where });
    },
  };
}

/** A row of the other model that is no more. */
async function removed(world: World, side: Side): Promise<Data> {
  const target = other(world, side);
  const row = await world.make(target);
  await world.delegate(target)['delete']?.({ where: world.where(target, row) });
  return row;
}
