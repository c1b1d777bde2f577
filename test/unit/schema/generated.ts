/** A schema that Prisma accepts, spelled at random, and what Prisma's data model does not say of it. */
import { Spelling } from './spelling';

export interface GeneratedSchema {
  readonly files: readonly string[];
  readonly relationMode: string | undefined;
  readonly views: ReadonlySet<string>;
  /** `Model.field` of columns that Prisma's client leaves out. */
  readonly hidden: readonly string[];
  /** `Model.field` of fields in a unique key that leaves rows out. */
  readonly partial: readonly string[];
}

interface Draft {
  readonly name: string;
  readonly kind: 'model' | 'view';
  /** The fields by which others may refer to it. */
  readonly keys: readonly string[];
  readonly lines: string[];
}

const scalars = [
  'String',
  'Int',
  'BigInt',
  'Boolean',
  'DateTime',
  'Decimal',
  'Json',
  'Bytes',
  'Float',
] as const;
const natives: Readonly<Record<string, string>> = {
  String: '@db.VarChar(20)',
  DateTime: '@db.Timestamptz( 3 )',
  Decimal: '@db.Decimal(10, 2)',
};
const defaults: Readonly<Record<string, string>> = {
  String: '@default("a } // \\" b")',
  Int: '@default(-5)',
  Json: '@default("{}")',
  DateTime: '@default(dbgenerated("now() /* } */ -- \\"x\\""))',
  Boolean: '@default( true )',
};

export function generateSchema(spell: Spelling): GeneratedSchema {
  const hidden: string[] = [];
  const partial: string[] = [];
  const enums = Array.from({ length: spell.number(0, 2) }, () => spell.name('Kind'));
  const drafts = Array.from({ length: spell.number(1, 4) }, (_, index) => draft(spell, index > 0));
  for (const each of drafts) {
    for (let left = spell.number(0, 4); left > 0; left -= 1) addScalar(spell, each, enums, hidden);
    if (spell.rarely() && each.kind === 'model') addPartialKey(spell, each, partial);
    if (spell.maybe() && each.kind === 'model')
      each.lines.push(`@${spell.map(spell.text(), '@map')}`.slice(1));
  }
  const relations = spell.number(0, 3);
  const pairs = new Set<string>();
  for (let left = relations; left > 0; left -= 1) addRelation(spell, drafts, pairs);
  // With "prisma" fewer referential actions are allowed.
  const relationMode = spell.pick(undefined, 'foreignKeys', ...(relations === 0 ? ['prisma'] : []));
  const blocks = spell.shuffled([
    settings(spell, relationMode, [...enums, ...drafts.map(({ name }) => name)]),
    ...enums.map((name) => enumBlock(spell, name)),
    ...drafts.map(({ kind, name, lines }) => spell.block(kind, name, spell.shuffled(lines))),
  ]);
  return {
    files: split(spell, blocks),
    relationMode,
    views: new Set(drafts.filter(({ kind }) => kind === 'view').map(({ name }) => name)),
    hidden,
    partial,
  };
}

function draft(spell: Spelling, mayBeView: boolean): Draft {
  const kind = mayBeView && spell.rarely() ? 'view' : 'model';
  const name = spell.name('Model');
  const keys = Array.from({ length: spell.pick(1, 1, 2) }, () => spell.name('key'));
  const own = `id ${spell.pick('Int', 'String')}${spell.attributes(kind === 'view' ? ['@unique'] : ['@id'])}`;
  const fields = keys.map((key) => `${key}${spell.gap()}Int`);
  const [key = ''] = keys;
  const lines =
    keys.length === 1 && spell.maybe() ? [`${fields[0]}${spell.attributes(['@unique'])}`] : fields;
  const alone = keys.length === 1 && !lines[0]?.includes('@unique');
  const block = alone || keys.length > 1 ? [`@@unique${spell.list('(', [keyList(spell, keys)], ')')}`] : [];
  return { name, kind, keys: keys.length > 1 ? keys : [key], lines: [own, ...lines, ...block] };
}

function keyList(spell: Spelling, keys: readonly string[]): string {
  const list = spell.list('[', keys, ']');
  return spell.maybe() ? list : spell.named('fields', list);
}

function addScalar(spell: Spelling, each: Draft, enums: readonly string[], hidden: string[]): void {
  const name = spell.name(spell.pick('field', 'model', 'enum', 'type'));
  const type = spell.pick('Unsupported', ...scalars, ...enums);
  const list = spell.rarely();
  const optional = !list && spell.maybe();
  const attributes = spell.maybe() ? [spell.map(spell.text())] : [];
  const native = natives[type];
  if (native !== undefined && spell.maybe()) attributes.push(native);
  const standard = defaults[type];
  if (standard !== undefined && !list && spell.maybe()) attributes.push(standard);
  if (!list && !['Unsupported', 'Json'].includes(type) && spell.rarely())
    attributes.push(unique(spell, each));
  const ignored = type !== 'Unsupported' && spell.rarely();
  if (ignored) attributes.push('@ignore');
  if (ignored || type === 'Unsupported') hidden.push(`${each.name}.${name}`);
  const written = type === 'Unsupported' ? `Unsupported(${spell.string(`point(${spell.text()})`)})` : type;
  each.lines.push(
    `${name}${spell.gap()}${written}${list ? '[]' : optional ? '?' : ''}${spell.attributes(attributes)}`,
  );
}

function unique(spell: Spelling, { kind }: Draft): string {
  const map = spell.list('(', [spell.named('map', spell.string(spell.text()))], ')');
  // A view has no index that could have a name.
  return `@unique${spell.pick('', '()', kind === 'model' ? map : '')}`;
}

function addPartialKey(spell: Spelling, each: Draft, partial: string[]): void {
  const field = spell.name('part');
  partial.push(`${each.name}.${field}`);
  const where = spell.named('where', spell.pick('raw("x > \\"}\\"")', `{ ${field}: { not: null } }`));
  const type = `${field}${spell.gap()}String?`;
  if (spell.maybe()) each.lines.push(`${type} @unique(${where})`);
  else each.lines.push(type, `@@unique${spell.list('(', [keyList(spell, [field]), where], ')')}`);
}

function addRelation(spell: Spelling, drafts: readonly Draft[], pairs: Set<string>): void {
  const models = drafts.filter(({ kind }) => kind === 'model');
  const holder = spell.pick(...drafts);
  const target = spell.pick(...models);
  const pair = [holder, target]
    .map((each) => each?.name)
    .sort()
    .join();
  if (!holder || !target || pairs.has(`${pair} unnamed`)) return;
  // Only one relation of two models may have no name.
  const unnamed = holder !== target && !pairs.has(pair) && spell.maybe();
  pairs.add(unnamed ? `${pair} unnamed` : pair);
  const [field, inverse] = [spell.name('holds'), spell.name('inverse')];
  const keys = target.keys.map(() => spell.name('to'));
  const nullable = keys.map(() => spell.maybe());
  // Prisma takes a relation for optional where any of its keys may be null.
  const optional = nullable.includes(true) || spell.rarely();
  const allNull = !nullable.includes(false);
  const one = spell.rarely();
  holder.lines.push(
    ...keys.map((key, at) => `${key} Int${nullable[at] ? '?' : ''}${spell.rarely() ? ' @default(1)' : ''}`),
  );
  if (one) holder.lines.push(`@@unique(${keyList(spell, keys)})`);
  const name = spell.string(spell.name('rel '));
  const actions = ['Cascade', 'NoAction', 'Restrict', 'SetDefault', ...(allNull ? ['SetNull'] : [])];
  const given = [
    ...(unnamed ? [] : [spell.maybe() ? spell.named('name', name) : name]),
    spell.named('fields', spell.list('[', keys, ']')),
    spell.named('references', spell.list('[', target.keys, ']')),
    ...(spell.maybe() ? [spell.named('onDelete', spell.pick(...actions))] : []),
    ...(spell.maybe() ? [spell.named('onUpdate', spell.pick(...actions))] : []),
    ...(spell.maybe() && holder.kind === 'model' ? [spell.named('map', spell.string(spell.text()))] : []),
  ];
  holder.lines.push(
    `${field} ${target.name}${optional ? '?' : ''} @relation${spell.list('(', spell.shuffled(given), ')')}`,
  );
  const same = spell.list('(', [spell.maybe() ? name : spell.named('name', name)], ')');
  const other = unnamed ? '' : ` @relation${same}`;
  target.lines.push(`${inverse} ${holder.name}${one ? '?' : '[]'}${other}`);
}

function enumBlock(spell: Spelling, name: string): string {
  const members = Array.from({ length: spell.number(1, 3) }, () => {
    const member = spell.name(spell.pick('A', 'enum', 'model'));
    return `${member}${spell.maybe() ? spell.attributes([spell.map(spell.text())]) : ''}`;
  });
  return spell.block(
    'enum',
    name,
    spell.shuffled(spell.maybe() ? [...members, `@${spell.map(spell.text(), '@map')}`.slice(1)] : members),
  );
}

function settings(spell: Spelling, relationMode: string | undefined, types: readonly string[]): string {
  const mode =
    relationMode === undefined ? [] : [`relationMode${spell.gap()}=${spell.gap()}"${relationMode}"`];
  // A generator's name may be that of a type.
  const generator = spell.block('generator', spell.pick('client', ...types), [
    'provider = "prisma-client"',
    'previewFeatures = ["views", "partialIndexes"]',
    'note = "relationMode = \\"prisma\\" }"',
  ]);
  return generator + spell.block('datasource', 'db', ['provider="postgresql"', ...mode]);
}

/** The blocks in one file or several. */
function split(spell: Spelling, blocks: readonly string[]): string[] {
  const files = [''];
  for (const block of blocks) {
    if (spell.rarely()) files.push('');
    files[files.length - 1] += block;
  }
  return files;
}
