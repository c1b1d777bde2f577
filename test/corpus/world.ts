import type * as DMMF from '@prisma/dmmf';
import { type CorpusClient, type CorpusSchema, type Delegate, delegateOf } from './corpus';
import type { Values } from './values';

export type Data = Record<string, unknown>;

/** The rows that operations need: made through the client under test, read by one without capture. */
export class World {
  constructor(
    readonly client: CorpusClient,
    readonly reader: CorpusClient,
    readonly schema: CorpusSchema,
    readonly values: Values,
  ) {}

  model(name: string): DMMF.Model {
    const found = this.schema.models.find((model) => model.name === name);
    if (!found) throw new Error(`${this.schema.name} has no model ${name}`);
    return found;
  }

  delegate(model: DMMF.Model): Delegate {
    return delegateOf(this.client, model.name);
  }

  /** The same rows, written through a transaction's client. */
  on(client: CorpusClient): World {
    return new World(client, this.reader, this.schema, this.values);
  }

  /** The filter that names a row. */
  where(model: DMMF.Model, row: Data): Data {
    const { primaryKey, fields } = model;
    if (primaryKey && primaryKey.fields.length > 1) {
      const key = Object.fromEntries(primaryKey.fields.map((name) => [name, row[name]]));
      return { [primaryKey.name ?? primaryKey.fields.join('_')]: key };
    }
    const id = primaryKey?.fields[0] ?? fields.find(({ isId }) => isId)?.name ?? '';
    return { [id]: row[id] };
  }

  /** Makes a row. `given` are scalar fields with the values that they are to have. */
  async make(model: DMMF.Model, given: Data = {}): Promise<Data> {
    return (await this.delegate(model)['create']?.({
      data: { ...(await this.scalars(model)), ...given },
    })) as Data;
  }

  /** A row as it is, with what is at the other end of a relation. */
  async read(model: DMMF.Model, row: Data, relation: string): Promise<Data> {
    const found = delegateOf(this.reader, model.name)['findUniqueOrThrow'];
    return (await found?.({ where: this.where(model, row), include: { [relation]: true } })) as Data;
  }

  /** Scalars for a new row, of foreign keys too: the rows that it must point to are made. */
  async scalars(
    model: DMMF.Model,
    { optional = true, except = [] as readonly string[] } = {},
  ): Promise<Data> {
    return { ...this.#own(model, optional), ...(await this.#foreign(model, except)) };
  }

  /** The same with `connect` in the place of foreign keys, as Prisma wants it beside nested writes. */
  async connected(model: DMMF.Model, except: string): Promise<Data> {
    const data = this.#own(model, true);
    for (const relation of requiredRelations(model)) {
      if (relation.name === except) continue;
      const target = this.model(relation.type);
      data[relation.name] = { connect: this.where(target, await this.make(target)) };
    }
    return data;
  }

  /** New values for the fields that an update may change: no part of a key, no foreign key. */
  changes(model: DMMF.Model): Data {
    const fields = model.fields.filter((field) => isPlain(model, field));
    return Object.fromEntries(fields.map((field) => [field.name, this.values.next(field)]));
  }

  #own(model: DMMF.Model, optional: boolean): Data {
    const foreign = foreignKeys(model);
    const fields = model.fields.filter(
      (field) =>
        isColumn(field) &&
        !foreign.has(field.name) &&
        !isGenerated(field) &&
        (optional || (field.isRequired && !field.hasDefaultValue && !field.isList)),
    );
    return Object.fromEntries(fields.map((field) => [field.name, this.values.next(field)]));
  }

  async #foreign(model: DMMF.Model, except: readonly string[]): Promise<Data> {
    const data: Data = {};
    for (const relation of requiredRelations(model)) {
      if (except.includes(relation.name)) continue;
      const target = await this.make(this.model(relation.type));
      Object.assign(data, pointing(relation, target));
    }
    return data;
  }
}

/** The foreign key of a relation field with the values that point to a row. */
export const pointing = ({ relationFromFields, relationToFields }: DMMF.Field, target: Data): Data =>
  Object.fromEntries(
    (relationFromFields ?? []).map((name, at) => [name, target[relationToFields?.[at] ?? '']]),
  );

export const isColumn = ({ kind }: DMMF.Field): boolean => kind === 'scalar' || kind === 'enum';

/** Relation fields with the foreign key on this side. */
export const holding = (model: DMMF.Model): DMMF.Field[] =>
  model.fields.filter(({ relationFromFields }) => (relationFromFields ?? []).length > 0);

const requiredRelations = (model: DMMF.Model): DMMF.Field[] =>
  holding(model).filter(({ isRequired }) => isRequired);

const foreignKeys = (model: DMMF.Model): Set<string> =>
  new Set(holding(model).flatMap(({ relationFromFields }) => relationFromFields ?? []));

/** Postgres or Prisma gives it a value. */
const isGenerated = ({ default: given, isUpdatedAt }: DMMF.Field): boolean =>
  isUpdatedAt === true || (typeof given === 'object' && 'name' in given && given.name === 'autoincrement');

const isPlain = (model: DMMF.Model, field: DMMF.Field): boolean =>
  isColumn(field) &&
  !field.isId &&
  !model.primaryKey?.fields.includes(field.name) &&
  !foreignKeys(model).has(field.name) &&
  !isGenerated(field);

export const plainFields = (model: DMMF.Model): DMMF.Field[] =>
  model.fields.filter((field) => isPlain(model, field));
