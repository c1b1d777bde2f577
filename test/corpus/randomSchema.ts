import { generator } from '../support/generator';

/** A schema with its SQL, both drawn from a seed. */
export interface RandomSchema {
  readonly name: string;
  readonly text: string;
  readonly sql: string;
}

/** A column of a model that others may point to. */
interface KeyColumn {
  readonly field: string;
  readonly type: string;
  readonly sql: string;
}

interface RandomModel {
  readonly name: string;
  readonly table: string;
  readonly key: readonly KeyColumn[];
  readonly lines: string[];
  readonly columns: string[];
  readonly constraints: string[];
}

const scalars: readonly (readonly [type: string, sql: string])[] = [
  ['String', 'text'],
  ['String @db.VarChar(40)', 'varchar(40)'],
  ['String @db.Uuid', 'uuid'],
  ['Int', 'integer'],
  ['Int @db.SmallInt', 'smallint'],
  ['BigInt', 'bigint'],
  ['Float', 'double precision'],
  ['Float @db.Real', 'real'],
  ['Decimal', 'numeric(65,30)'],
  ['Decimal @db.Decimal(12, 4)', 'numeric(12,4)'],
  ['Boolean', 'boolean'],
  ['DateTime', 'timestamp(3)'],
  ['DateTime @db.Timestamptz(3)', 'timestamptz(3)'],
  ['DateTime @db.Date', 'date'],
  ['DateTime @db.Time(3)', 'time(3)'],
  ['Json', 'jsonb'],
  ['Bytes', 'bytea'],
];

const actions = {
  Cascade: 'CASCADE',
  SetNull: 'SET NULL',
  Restrict: 'RESTRICT',
  NoAction: 'NO ACTION',
} as const;

/**
 * Draws two to five models with keys of all kinds, fields of all types (optional, lists, mapped, unique), and relations
 * with all referential actions. `simple` leaves out what the middleware engine refuses at start.
 */
export function randomSchema(seed: number, { simple }: { readonly simple: boolean }): RandomSchema {
  return new Draft(seed, simple).draw();
}

class Draft {
  readonly #random: () => number;
  readonly #models: RandomModel[] = [];
  /** Of join tables, which have no model. */
  readonly #others: string[] = [];

  constructor(
    private readonly seed: number,
    private readonly simple: boolean,
  ) {
    this.#random = generator(seed);
  }

  draw(): RandomSchema {
    const prefix = `S${this.seed}`;
    const mood = `enum ${prefix}Mood {\n  GOOD @map("in good spirits")\n  BAD\n}\n`;
    const count = 2 + this.#below(4);
    for (let nr = 0; nr < count; nr++) this.#models.push(this.#model(`${prefix}M${nr}`));
    const models = this.#models.map(
      ({ name, table, lines }) => `model ${name} {\n${lines.join('\n')}\n  @@map("${table}")\n}\n`,
    );
    const tables = this.#models.map(
      ({ table, columns, constraints }) =>
        `CREATE TABLE "${table}" (\n${[...columns, ...constraints].join(',\n')}\n);\n`,
    );
    const type = `CREATE TYPE "${prefix}Mood" AS ENUM ('in good spirits', 'BAD');\n`;
    return {
      name: prefix,
      text: mood + models.join(''),
      sql: type + tables.join('') + this.#others.join(''),
    };
  }

  #model(name: string): RandomModel {
    const key = this.#key(name);
    const model: RandomModel = {
      name,
      table: `${name} rows`,
      key: key.columns,
      lines: key.lines,
      columns: [],
      constraints: [],
    };
    for (const { field, sql } of key.columns)
      model.columns.push(`"${field}" ${sql}${sql.includes('serial') ? '' : ' NOT NULL'}`);
    model.constraints.push(`PRIMARY KEY (${key.columns.map(({ field }) => `"${field}"`).join(', ')})`);
    const fields = 1 + this.#below(5);
    for (let nr = 0; nr < fields; nr++) this.#field(model, nr);
    if (this.#models.length > 0 && this.#chance(0.8)) this.#relation(model, this.#pick(this.#models), 'a');
    if (this.#models.length > 0 && this.#chance(0.3)) this.#relation(model, this.#pick(this.#models), 'b');
    if (this.#chance(0.25)) this.#relation(model, model, 'self');
    if (this.#models.length > 0 && this.#chance(0.25)) this.#join(model, this.#pick(this.#models));
    return model;
  }

  #key(name: string): { readonly lines: string[]; readonly columns: readonly KeyColumn[] } {
    const single = (line: string, type: string, sql: string) => ({
      lines: [`  id ${line}`],
      columns: [{ field: 'id', type, sql }],
    });
    const keys = [
      () => single('Int @id @default(autoincrement())', 'Int', 'serial'),
      () => single('String @id @default(uuid()) @db.Uuid', 'String @db.Uuid', 'uuid'),
      () => single('String @id', 'String', 'text'),
      () => single('BigInt @id @default(autoincrement())', 'BigInt', 'bigserial'),
    ];
    if (this.simple || this.#chance(0.7)) return this.#pick(keys)();
    return {
      lines: ['  tenant String', '  nr Int', `  @@id([tenant, nr], map: "${name}_key")`],
      columns: [
        { field: 'tenant', type: 'String', sql: 'text' },
        { field: 'nr', type: 'Int', sql: 'integer' },
      ],
    };
  }

  #field({ lines, columns }: RandomModel, nr: number): void {
    const enumType = `S${this.seed}Mood`;
    const [type, sql] = this.#chance(0.15) ? [enumType, `"${enumType}"`] : this.#pick(scalars);
    const [plain = '', ...native] = type.split(' ');
    const mapped = this.#chance(0.3);
    const name = mapped ? `the column ${nr}` : `f${nr}`;
    const shape = this.#chance(0.25) ? '?' : !this.simple && this.#chance(0.2) ? '[]' : '';
    const unique = shape !== '[]' && ['String', 'Int', 'BigInt'].includes(plain) && this.#chance(0.1);
    const attributes = [...native, ...(mapped ? [`@map("${name}")`] : []), ...(unique ? ['@unique'] : [])];
    lines.push(`  f${nr} ${plain}${shape} ${attributes.join(' ')}`);
    columns.push(
      `"${name}" ${sql}${shape === '[]' ? '[]' : shape === '?' ? '' : ' NOT NULL'}${unique ? ' UNIQUE' : ''}`,
    );
  }

  /** A foreign key of this model's, with the other end in the target. */
  #relation(model: RandomModel, target: RandomModel, name: string): void {
    const self = model === target;
    const optional = self || this.#chance(0.5);
    const oneToOne = !self && this.#chance(0.2);
    const fits = (Object.keys(actions) as (keyof typeof actions)[]).filter(
      (action) =>
        (action !== 'SetNull' || optional) &&
        !(self && this.simple && action !== 'Restrict' && action !== 'NoAction'),
    );
    const [onDelete, onUpdate] = [this.#pick(fits), this.#pick(fits)];
    const label = `${model.name}_${name}`;
    const keys = target.key.map(({ field }) => `${name}_${field}`);
    for (const { field, type, sql } of target.key) {
      const [plain, ...native] = type.split(' ');
      model.lines.push(`  ${name}_${field} ${plain}${optional ? '?' : ''} ${native.join(' ')}`);
      model.columns.push(
        `"${name}_${field}" ${sql.replace('bigserial', 'bigint').replace('serial', 'integer')}${optional ? '' : ' NOT NULL'}`,
      );
    }
    const references = target.key.map(({ field }) => field);
    const listed = (names: readonly string[]): string => names.map((each) => `"${each}"`).join(', ');
    model.lines.push(
      `  ${name} ${target.name}${optional ? '?' : ''} @relation("${label}", fields: [${keys.join(', ')}], references: [${references.join(', ')}], onDelete: ${onDelete}, onUpdate: ${onUpdate})`,
      ...(oneToOne ? [`  @@unique([${keys.join(', ')}])`] : []),
    );
    target.lines.push(`  of_${label} ${model.name}${oneToOne ? '?' : '[]'} @relation("${label}")`);
    model.constraints.push(
      `FOREIGN KEY (${listed(keys)}) REFERENCES "${target.table}" (${listed(references)}) ON DELETE ${actions[onDelete]} ON UPDATE ${actions[onUpdate]}`,
      ...(oneToOne ? [`UNIQUE (${listed(keys)})`] : []),
    );
  }

  /** An implicit many-to-many relation: its columns are called A and B after the models' order. */
  #join(model: RandomModel, target: RandomModel): void {
    if (model.key.length + target.key.length > 2) return;
    const label = `${model.name}_join`;
    model.lines.push(`  joined ${target.name}[] @relation("${label}")`);
    target.lines.push(`  joined_${label} ${model.name}[] @relation("${label}")`);
    const [a, b] = [model, target].toSorted((one, other) => (one.name < other.name ? -1 : 1));
    const column = (name: string, { key: [key] }: RandomModel = model): string =>
      `"${name}" ${key?.sql.replace('bigserial', 'bigint').replace('serial', 'integer')} NOT NULL`;
    const points = (name: string, { table } = model): string =>
      `FOREIGN KEY ("${name}") REFERENCES "${table}" ("id") ON DELETE CASCADE ON UPDATE CASCADE`;
    this.#others.push(
      `CREATE TABLE "_${label}" (${column('A', a)}, ${column('B', b)}, PRIMARY KEY ("A", "B"), ${points('A', a)}, ${points('B', b)});\n`,
    );
  }

  readonly #below = (limit: number): number => Math.floor(this.#random() * limit);
  readonly #chance = (share: number): boolean => this.#random() < share;

  #pick<T>(from: readonly T[]): T {
    const picked = from[this.#below(from.length)];
    if (picked === undefined) throw new Error('There is nothing to pick from');
    return picked;
  }
}
