/*
 * Reads the part of a Prisma schema that the generator needs: tables, columns, keys and the labels of enums.
 *
 * Why not the client's data model: at run time it is pruned to names and types, and knows neither keys nor the labels of enums. The text of
 * the schema is what `prisma generate` itself reads, and the generated client carries a copy of it. What is read here
 * is the line-oriented subset that Prisma's own formatter produces; anything that does not fit ends in an error that
 * names the model, never in a guess.
 */

/** A column of a model. */
export interface Column {
  /** The name in the database. */
  readonly name: string;
  readonly list: boolean;
  readonly nullable: boolean;
  /** Whether the column alone tells one row from all others. */
  readonly unique: boolean;
  /** Of an enum: its members by their label in the database, where the two may differ. */
  readonly members?: ReadonlyMap<string, string>;
}

/** A model as a table. */
export interface Table {
  readonly model: string;
  /** The Postgres schema, where `@@schema` names one. */
  readonly schema: string | undefined;
  readonly name: string;
  /** By the field's name in the model. */
  readonly columns: ReadonlyMap<string, Column>;
}

interface Block {
  readonly kind: string;
  readonly name: string;
  readonly lines: readonly string[];
}

/** The models of a Prisma schema, by name. */
export function readTables(schema: string): ReadonlyMap<string, Table> {
  const blocks = readBlocks(schema);
  const enums = new Map(
    blocks.filter(({ kind }) => kind === 'enum').map((block) => [block.name, readMembers(block)]),
  );
  const models = blocks.filter(({ kind }) => kind === 'model');
  const names = new Set(models.map(({ name }) => name));
  return new Map(models.map((block) => [block.name, readTable(block, enums, names)]));
}

/** Top-level blocks; comments are dropped, and an attribute that spans lines is put on one. */
function readBlocks(schema: string): Block[] {
  const blocks: { kind: string; name: string; lines: string[] }[] = [];
  let open: (typeof blocks)[number] | undefined;
  let pending = '';
  for (const raw of schema.split(/\r?\n/)) {
    const line = `${pending} ${withoutComment(raw)}`.trim();
    pending = '';
    const start = /^(\w+)\s+(\w+)\s*\{$/.exec(line);
    if (!open && start) {
      open = { kind: start[1] ?? '', name: start[2] ?? '', lines: [] };
      blocks.push(open);
    } else if (line === '}') open = undefined;
    else if (open && isUnfinished(line)) pending = line;
    else if (open && line !== '') open.lines.push(line);
  }
  return blocks;
}

const outsideStrings = (line: string): string => line.replaceAll(/"(?:[^"\\]|\\.)*"/g, '""');

function withoutComment(line: string): string {
  const match = /^((?:[^"/]|"(?:[^"\\]|\\.)*"|\/(?!\/))*)\/\//.exec(line);
  return match ? (match[1] ?? '') : line;
}

function isUnfinished(line: string): boolean {
  const code = outsideStrings(line);
  const count = (pattern: RegExp): number => code.match(pattern)?.length ?? 0;
  return count(/[([]/g) > count(/[)\]]/g);
}

function readMembers({ lines }: Block): ReadonlyMap<string, string> {
  const members = lines.filter((line) => !line.startsWith('@@'));
  return new Map(
    members.map((line) => {
      const member = /^\w+/.exec(line)?.[0] ?? '';
      return [mapped(line, '@map') ?? member, member];
    }),
  );
}

function readTable(
  { name, lines }: Block,
  enums: ReadonlyMap<string, ReadonlyMap<string, string>>,
  models: ReadonlySet<string>,
): Table {
  const columns = new Map<string, Column>();
  for (const line of lines.filter((each) => !each.startsWith('@@'))) {
    const field = /^(\w+)\s+(\w+)(?:\([^)]*\))?(\[\])?(\?)?/.exec(line);
    if (!field) throw new Error(`The model "${name}" has a line that is no field: ${line}`);
    const [, fieldName = '', type = '', list, optional] = field;
    if (models.has(type)) continue;
    const attributes = outsideStrings(line);
    const members = enums.get(type);
    columns.set(fieldName, {
      name: mapped(line, '@map') ?? fieldName,
      list: list !== undefined,
      nullable: optional !== undefined,
      unique: /\s@(id|unique)\b/.test(attributes),
      ...(members ? { members } : {}),
    });
  }
  return {
    model: name,
    schema: blockValue(lines, '@@schema'),
    name: blockValue(lines, '@@map') ?? name,
    columns,
  };
}

/** The value of `@map("…")`, also written `@map(name: "…")`. */
function mapped(line: string, attribute: '@map'): string | undefined {
  const match = new RegExp(`(?:^|\\s)${attribute}\\(\\s*(?:name:\\s*)?("(?:[^"\\\\]|\\\\.)*")`).exec(line);
  return match ? (JSON.parse(match[1] ?? '""') as string) : undefined;
}

function blockValue(lines: readonly string[], attribute: '@@map' | '@@schema'): string | undefined {
  const match = new RegExp(`^${attribute}\\(\\s*(?:\\w+:\\s*)?("(?:[^"\\\\]|\\\\.)*")`);
  for (const line of lines) {
    const found = match.exec(line)?.[1];
    if (found !== undefined) return JSON.parse(found) as string;
  }
  return undefined;
}
