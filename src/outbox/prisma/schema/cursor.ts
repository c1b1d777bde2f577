import { SchemaError } from './schemaError';
import type { Token } from './tokens';

/** A place in a list of tokens, and how the parser goes on from there. */
export class Cursor {
  #at = 0;

  /** The last token must be the one of kind `end`, which is never passed. */
  constructor(private readonly tokens: readonly Token[]) {}

  get token(): Token {
    const token = this.tokens[this.#at];
    if (!token) throw new Error('The tokens of a schema have no end');
    return token;
  }

  /** Whether the next token is this mark. */
  at(mark: string): boolean {
    return this.token.kind === 'mark' && this.token.text === mark;
  }

  /** Passes this mark if it is next. */
  accept(mark: string): boolean {
    if (!this.at(mark)) return false;
    this.#at += 1;
    return true;
  }

  /** Passes this mark. @throws SchemaError when something else is next. */
  expect(mark: string): void {
    if (!this.accept(mark)) throw this.unexpected(`"${mark}"`);
  }

  /** Passes a token of this kind and returns its text. @throws SchemaError when something else is next. */
  take(kind: 'word' | 'string', wanted: string): string {
    const { token } = this;
    if (token.kind !== kind) throw this.unexpected(wanted);
    this.#at += 1;
    return token.text;
  }

  /** Passes line breaks, if there are any. */
  skipLines(): void {
    while (this.token.kind === 'newline') this.#at += 1;
  }

  /** Passes the end of a declaration. @throws SchemaError when its line goes on. */
  endLine(): void {
    if (this.token.kind !== 'newline') throw this.unexpected('the end of the line');
    this.skipLines();
  }

  /** The error for something else than what was wanted. */
  unexpected(wanted: string): SchemaError {
    const { kind, text, line } = this.token;
    const found =
      kind === 'end' ? 'the schema ends' : kind === 'newline' ? 'the line ends' : `there is "${text}"`;
    return new SchemaError(line, `${found} where ${wanted} is expected`);
  }
}
