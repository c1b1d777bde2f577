import { SchemaError } from './schemaError';

/*
 * The words of a Prisma schema, without blanks and comments.
 *
 * A declaration ends with its line, so line breaks are tokens, except inside parentheses, brackets and the braces of an
 * argument. What follows the opening brace of a block on its line is ignored, because Prisma ignores it too.
 */

export interface Token {
  readonly kind: 'word' | 'string' | 'mark' | 'newline' | 'end';
  /** The word or mark as written; of a string its value. */
  readonly text: string;
  /** Counted from 1. */
  readonly line: number;
}

/** Names and numbers are words; a name may hold letters of any alphabet, and dashes. */
const pattern = new RegExp(
  [
    String.raw`(?<newline>\r\n|\r|\n)`,
    String.raw`(?<blank>[^\S\r\n]+|//[^\r\n]*)`,
    String.raw`(?<comment>/\*[^]*?\*/)`,
    String.raw`(?<string>"(?:[^"\\\r\n]|\\.)*")`,
    String.raw`(?<word>-?\p{ID_Continue}[\p{ID_Continue}-]*)`,
    String.raw`(?<mark>@@|[@(){}[\]:,.=?])`,
  ].join('|'),
  'uy',
);
const restOfLine = /[^\r\n]*/y;

/** @throws SchemaError for a character that no Prisma schema has, or a string or comment without an end. */
export function tokenize(schema: string): Token[] {
  const tokens: Token[] = [];
  let line = 1;
  let depth = 0;
  for (let offset = 0; offset < schema.length;) {
    pattern.lastIndex = offset;
    const found = pattern.exec(schema);
    if (!found) throw new SchemaError(line, whatIsWrong(schema.slice(offset)));
    const [text] = found;
    offset = pattern.lastIndex;
    const token = tokenOf(found, line);
    line += breaksIn(text);
    if (!token || (token.kind === 'newline' && depth > 0)) continue;
    tokens.push(token);
    if (token.kind !== 'mark') continue;
    if (token.text === '{' && depth === 0) {
      restOfLine.lastIndex = offset;
      offset += restOfLine.exec(schema)?.[0].length ?? 0;
    } else if ('([{'.includes(token.text)) depth += 1;
    else if (')]}'.includes(token.text)) depth = Math.max(0, depth - 1);
  }
  return [...tokens, { kind: 'end', text: '', line }];
}

function tokenOf({ groups = {} }: RegExpExecArray, line: number): Token | undefined {
  const { newline, string, word, mark } = groups;
  if (string !== undefined) return { kind: 'string', text: valueOf(string, line), line };
  if (word !== undefined) return { kind: 'word', text: word, line };
  if (mark !== undefined) return { kind: 'mark', text: mark, line };
  return newline === undefined ? undefined : { kind: 'newline', text: newline, line };
}

/** Prisma's strings have the escapes of JSON's. */
function valueOf(string: string, line: number): string {
  try {
    return JSON.parse(string) as string;
  } catch {
    throw new SchemaError(line, `${string} is not a string`);
  }
}

const breaksIn = (text: string): number => text.match(/\r\n|\r|\n/g)?.length ?? 0;

function whatIsWrong(rest: string): string {
  if (rest.startsWith('/*')) return 'a comment that begins here has no end';
  if (rest.startsWith('"')) return 'a string that begins here has no end on its line';
  return `"${/^./su.exec(rest)?.[0] ?? ''}" has no meaning here`;
}
