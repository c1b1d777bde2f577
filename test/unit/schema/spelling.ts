/** Writes the parts of a Prisma schema in one of the many ways in which people may: blanks, comments, order, escapes. */

const texts = [
  '}',
  '{',
  '"',
  '\\',
  '//',
  '/*',
  '*/',
  ' ',
  'é',
  '😀',
  '@map("x")',
  '[',
  ')',
  ',',
  ':',
  'onDelete: Cascade',
];
const comments = ['model X {', '}', '"', '@@map("no")', 'onDelete: Cascade)', '{ [ (', '// /', "it's"];

export class Spelling {
  #count = 0;
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  pick<T>(...choices: readonly T[]): T {
    return choices[this.number(0, choices.length - 1)] as T;
  }

  /** Mulberry32: the same numbers for the same seed. */
  number(min: number, max: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return min + (((mixed ^ (mixed >>> 14)) >>> 0) % (max - min + 1));
  }

  maybe(): boolean {
    return this.number(0, 1) === 1;
  }

  rarely(): boolean {
    return this.number(0, 5) === 0;
  }

  shuffled<T>(items: readonly T[]): T[] {
    const left = [...items];
    return items.map(() => left.splice(this.number(0, left.length - 1), 1)[0] as T);
  }

  /** A name that nothing else has. */
  name(prefix: string): string {
    this.#count += 1;
    return `${prefix}${this.pick('', '_', 'Map', 'ü')}${this.#count}`;
  }

  /** A text with whatever may confuse a reader; no two are the same, and none is longer than a name may be. */
  text(): string {
    this.#count += 1;
    const parts = Array.from({ length: this.number(0, 3) }, () => this.pick(...texts));
    return `${parts.join('')}${this.#count}`;
  }

  /** A text as a string, some of its characters escaped without need. */
  string(text: string): string {
    const written = Array.from(text).map((char) =>
      this.rarely() ? escaped(char) : JSON.stringify(char).slice(1, -1),
    );
    return `"${written.join('')}"`;
  }

  blank(): string {
    return this.pick('', '', '', ' ', '\t', '  ', '\u00A0');
  }

  gap(): string {
    return this.pick(' ', ' ', '\t', '   ', ' \u2003');
  }

  breakLine(): string {
    return this.pick('\n', '\n', '\r\n', '\r');
  }

  /** The end of a line, perhaps after a comment. */
  end(): string {
    const comment = this.pick(...comments);
    return (
      this.blank() +
      this.pick(
        '',
        '',
        '',
        ` // ${comment} /* `,
        ` /// ${comment}`,
        `/* ${comment} */`,
        `/** ${comment}\n * ${comment} */`,
      ) +
      this.breakLine()
    );
  }

  /** Lines that mean nothing. */
  nothing(): string {
    const comment = this.pick(...comments);
    return this.pick(
      '',
      '',
      '',
      this.breakLine(),
      ` // ${comment}\n`,
      `/// ${comment}\n`,
      `/* ${comment}\n ${comment} */\n`,
      `\t/**\n * ${comment}\n */\n`,
    );
  }

  /** `(a, b)`, with blanks. */
  list(open: string, items: readonly string[], close: string): string {
    const spaced = items.map((item) => this.blank() + item + this.blank());
    return `${open}${spaced.join(',')}${this.blank()}${close}`;
  }

  named(name: string, value: string): string {
    return `${name}${this.blank()}:${this.blank()}${value}`;
  }

  /** `@map("…")`, by its place or by its name. */
  map(text: string, name = 'map'): string {
    const string = this.string(text);
    return `@${name}${this.list('(', [this.maybe() ? string : this.named(name === '@schema' ? 'map' : 'name', string)], ')')}`;
  }

  attributes(all: readonly string[]): string {
    return this.shuffled(all)
      .map((attribute) => this.gap() + attribute)
      .join('');
  }

  block(kind: string, name: string, lines: readonly string[]): string {
    const open = `{${this.pick('', '', ' // {', ' /* x */', ' } model Y {')}${this.breakLine()}`;
    const body = lines.map((line) => `${this.nothing()}${this.blank()}${line}${this.end()}`).join('');
    return `${this.nothing()}${this.blank()}${kind}${this.gap()}${name}${this.blank()}${open}${body}${this.nothing()}}${this.end()}`;
  }
}

const escaped = (char: string): string =>
  [...Array(char.length).keys()]
    .map((at) => `\\u${char.charCodeAt(at).toString(16).padStart(4, '0')}`)
    .join('');
