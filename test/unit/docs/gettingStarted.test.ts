import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/*
 * What the page shows is what `npm run test:adopt` does in projects that were made by `init`: every line of code is one of
 * a fixture's, or of what is edited there after `init`, and every command is one that is run.
 */

const root = path.resolve(__dirname, '../../..');
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');

const page = read('docs/getting-started.md');
const blocks = (language: string): string[] =>
  [...page.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(([, code = '']) => code);

const fixtures = readdirSync(path.join(root, 'test/adopt'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => read(path.join('test/adopt', file)));
const plain = (text: string): string => text.replaceAll(/\s+/g, ' ').trim();
const done = [...fixtures, read('dev/adopt/edits.ts')].flatMap((text) => text.split('\n').map(plain));

/** The project's own name differs. */
const isShown = (line: string): boolean => line !== '' && line !== '…' && line !== "name: 'shop',";

const lines = blocks('ts').flatMap((code) => code.split('\n').map(plain).filter(isShown));

it('the page shows code', () => {
  expect(lines.length).toBeGreaterThan(20);
});

it.each(lines.filter((line) => !line.startsWith('import ')))('%s', (line) => {
  expect(done.filter((each) => each.includes(line))).not.toEqual([]);
});

it.each(lines.filter((line) => line.startsWith('import ')))('%s', (line) => {
  const [, names = '', module = ''] = /^import \{ (.+) \} from '(.+)';$/.exec(line) ?? [];
  for (const name of names.split(', '))
    expect(done.filter((each) => each.includes(name) && each.endsWith(`from '${module}';`))).not.toEqual([]);
});

it.each(blocks('bash').flatMap((code) => [...code.matchAll(/npx signalbox (\w+)/g)].map(([, name]) => name)))(
  'npx signalbox %s',
  (name) => {
    expect(read('dev/adopt/adopt.ts')).toMatch(new RegExp(`'signalbox'[^;]*'${name}'`));
  },
);
