import { Cursor } from './cursor';
import { parseAttributes, parseValue } from './parseValues';
import type { Attribute, Block, EnumMember, FieldSyntax, RecordBlock, SettingsBlock, Value } from './syntax';
import { tokenize } from './tokens';

/*
 * Reads the text of a Prisma schema.
 *
 * Why not the client's data model: at run time it is pruned to names and types, and knows neither keys nor columns nor
 * referential actions. The generated client carries the text that `prisma generate` has read and validated, one text
 * also where the schema is in several files. Why not Prisma's own parser: three megabytes of WebAssembly, which neither
 * the client nor the driver adapter ships. A test holds this one to it over generated schemas.
 *
 * It accepts a little more than Prisma (line breaks inside parentheses, for example), and reads whatever Prisma accepts
 * as Prisma does. Anything else ends in an error that names the line, never in a guess.
 */

/** The blocks of a schema, in order. @throws SchemaError */
export function parseSchema(schema: string): Block[] {
  const cursor = new Cursor(tokenize(schema));
  const blocks: Block[] = [];
  for (cursor.skipLines(); cursor.token.kind !== 'end'; cursor.skipLines()) blocks.push(parseBlock(cursor));
  return blocks;
}

function parseBlock(cursor: Cursor): Block {
  const expected = cursor.unexpected('a block (model, enum, …)');
  const kind = cursor.take('word', 'a block (model, enum, …)');
  if (!isKind(kind)) throw expected;
  const name = cursor.take('word', `the name of the ${kind}`);
  cursor.expect('{');
  cursor.endLine();
  if (kind === 'enum') return { kind, name, ...parseMembers(cursor) };
  if (kind === 'datasource' || kind === 'generator') return { kind, name, settings: parseSettings(cursor) };
  return { kind, name, ...parseFields(cursor) };
}

const kinds = ['model', 'view', 'type', 'enum', 'datasource', 'generator'] as const;

const isKind = (word: string): word is Block['kind'] => (kinds as readonly string[]).includes(word);

function parseSettings(cursor: Cursor): SettingsBlock['settings'] {
  const settings = new Map<string, Value>();
  while (!cursor.accept('}')) {
    const name = cursor.take('word', 'a setting or "}"');
    cursor.expect('=');
    settings.set(name, parseValue(cursor));
    cursor.endLine();
  }
  return settings;
}

function parseFields(cursor: Cursor): Pick<RecordBlock, 'fields' | 'attributes'> {
  const fields: FieldSyntax[] = [];
  const attributes = parseLines(cursor, () => fields.push(parseField(cursor)));
  return { fields, attributes };
}

function parseMembers(cursor: Cursor): { members: EnumMember[]; attributes: Attribute[] } {
  const members: EnumMember[] = [];
  const attributes = parseLines(cursor, () => {
    const name = cursor.take('word', 'a value of the enum or "}"');
    members.push({ name, attributes: parseAttributes(cursor, '@') });
  });
  return { members, attributes };
}

/** Lines until the closing brace: either attributes of the block, which are returned, or what `parseOne` reads. */
function parseLines(cursor: Cursor, parseOne: () => unknown): Attribute[] {
  const attributes: Attribute[] = [];
  while (!cursor.accept('}')) {
    if (cursor.at('@@')) attributes.push(...parseAttributes(cursor, '@@'));
    else parseOne();
    cursor.endLine();
  }
  return attributes;
}

function parseField(cursor: Cursor): FieldSyntax {
  const name = cursor.take('word', 'a field or "}"');
  const word = cursor.take('word', `the type of the field "${name}"`);
  const unsupported = word === 'Unsupported' && cursor.accept('(');
  if (unsupported) {
    cursor.take('string', 'the type in the database');
    cursor.expect(')');
  }
  const list = cursor.accept('[');
  if (list) cursor.expect(']');
  const optional = cursor.accept('?');
  const type = unsupported ? undefined : word;
  return { name, type, list, optional, attributes: parseAttributes(cursor, '@') };
}
