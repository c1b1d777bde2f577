import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(__dirname, '../../..');
const inDocs = readdirSync(path.join(root, 'docs'), { recursive: true, encoding: 'utf8' });
const pages = [
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'dev/broker/README.md',
  ...inDocs.filter((file) => file.endsWith('.md')).map((file) => path.join('docs', file)),
];

/** Links to files of the project, without those to the web and within the page. */
function links(page: string): string[] {
  const text = readFileSync(path.join(root, page), 'utf8');
  const found = [...text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map(([, target = '']) => target);
  return found.filter((target) => !/^[a-z]+:/.test(target));
}

describe('the documentation', () => {
  it('has links to look at', () => {
    expect(links('README.md').length).toBeGreaterThan(10);
  });

  it.each(pages)('%s links to files that are there', (page) => {
    const missing = links(page).filter((target) => !existsSync(path.join(root, path.dirname(page), target)));
    expect(missing).toEqual([]);
  });

  it('names only npm scripts that exist', () => {
    const { scripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    const named = pages.flatMap((page) =>
      [...readFileSync(path.join(root, page), 'utf8').matchAll(/npm run (?:--silent )?([a-z][a-z:]*)/g)].map(
        ([, name = '']) => name,
      ),
    );
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });
});
