import { readFileSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(__dirname, '../../..');
const page = readFileSync(path.join(root, 'docs/relay-tests.md'), 'utf8');

/** The lines of the tables: the test's file and its name. */
const rows = [...page.matchAll(/^\|[^|]*\| \[[^\]]+\]\(\.\.\/([^)]+)\): (.+?) +\|$/gm)].map(
  ([, file = '', name = '']) => ({ file, name }),
);

describe("the list of the relay's tests", () => {
  it('has lines that this test can read', () => {
    const lines = page.split('\n').filter((line) => line.startsWith('|') && line.includes('](../test/'));
    expect(rows.length).toBeGreaterThan(30);
    expect(rows).toHaveLength(lines.length);
  });

  it.each(rows)('$file has the test "$name"', ({ file, name }) => {
    const quoted = (quote: string): string => quote + name.replaceAll(quote, `\\${quote}`) + quote;
    const source = readFileSync(path.join(root, file), 'utf8');
    expect(['"', "'", '`'].some((quote) => source.includes(quoted(quote)))).toBe(true);
  });
});
