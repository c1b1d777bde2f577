import { readFileSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(__dirname, '../../..');
const page = readFileSync(path.join(root, 'docs/capture-pitfalls.md'), 'utf8');

/** The lines of the tables: who is concerned, the test's file and its name. */
const rows = [...page.matchAll(/^\|[^|]*\| (\S+) +\| \[[^\]]+\]\(\.\.\/([^)]+)\): (.+?) +\|$/gm)].map(
  ([, engine = '', file = '', name = '']) => ({ engine, file, name }),
);

const source = (file: string): string => readFileSync(path.join(root, file), 'utf8');

/** Files whose tests all run once with each engine. */
const withBoth = (text: string): boolean =>
  text.includes('describe.each(engines)') || text.includes("describe('both engines");

describe('the pitfalls of capture', () => {
  it('are listed in lines that this test can read', () => {
    const lines = page
      .split('\n')
      .filter((line) => line.includes('](../test/integration') && line.startsWith('|'));
    expect(rows.length).toBeGreaterThan(50);
    expect(rows.filter(({ file }) => file.startsWith('test/integration'))).toHaveLength(lines.length);
  });

  it.each(rows)('$file has the test "$name"', ({ file, name }) => {
    expect(source(file)).toMatch(new RegExp(`['"\`]${escaped(name)}['"\`]`));
  });

  it('that concern both engines are tried with both', () => {
    const files = [...new Set(rows.filter(({ engine }) => engine === 'both').map(({ file }) => file))];
    const switching = 'test/integration/pitfalls/switching.test.ts';
    expect(files.filter((file) => file !== switching && !withBoth(source(file)))).toEqual([]);
    expect(files).toContain(switching);
  });
});

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
