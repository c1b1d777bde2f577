import type { Cursor } from './cursor';
import type { Argument, Attribute, Value } from './syntax';

/** The attributes that begin with this mark, until something else comes. */
export function parseAttributes(cursor: Cursor, mark: '@' | '@@'): Attribute[] {
  const attributes: Attribute[] = [];
  while (cursor.accept(mark)) attributes.push(parseAttribute(cursor));
  return attributes;
}

function parseAttribute(cursor: Cursor): Attribute {
  const name = parsePath(cursor, 'the name of an attribute');
  return { name, given: cursor.accept('(') ? parseArguments(cursor, ')') : [] };
}

/** A value: what stands after `=`, or what an attribute is given. */
export function parseValue(cursor: Cursor): Value {
  if (cursor.token.kind === 'string') return { kind: 'string', text: cursor.take('string', 'a value') };
  if (cursor.accept('['))
    return { kind: 'list', items: parseArguments(cursor, ']').map(({ value }) => value) };
  if (cursor.accept('{')) return { kind: 'object', given: parseArguments(cursor, '}') };
  const text = parsePath(cursor, 'a value');
  return cursor.accept('(')
    ? { kind: 'call', text, given: parseArguments(cursor, ')') }
    : { kind: 'word', text };
}

function parsePath(cursor: Cursor, what: string): string {
  const parts = [cursor.take('word', what)];
  while (cursor.accept('.')) parts.push(cursor.take('word', what));
  return parts.join('.');
}

function parseArguments(cursor: Cursor, end: ')' | ']' | '}'): Argument[] {
  const given: Argument[] = [];
  while (!cursor.accept(end)) {
    given.push(parseArgument(cursor));
    if (!cursor.at(end)) cursor.expect(',');
  }
  return given;
}

/** A name and a value look alike until the colon. */
function parseArgument(cursor: Cursor): Argument {
  const value = parseValue(cursor);
  if (value.kind !== 'word' || !cursor.accept(':')) return { name: undefined, value };
  return { name: value.text, value: parseValue(cursor) };
}
