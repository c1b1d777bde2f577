import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/*
 * Modules that are named in strings: compiled files that a script or a page runs or requires, and programs that tests
 * spawn. The compiler does not see them, so a move would be noticed by whoever runs them last. And files that comments
 * name, which nothing else looks at.
 */

const root = path.resolve(__dirname, '../../..');
const folders = ['src', 'dev', 'bench', 'test', 'docs', '.ci', 'deploy', 'examples'];
const own = path.relative(root, __filename);

const files = [
  'package.json',
  'README.md',
  'CONTRIBUTING.md',
  'docker-compose.yml',
  ...folders.flatMap((folder) =>
    readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8', withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
      .filter(
        (file) =>
          /\.(ts|js|md|json|yml|sh)$|^\.ci\/run$|Dockerfile/.test(file) &&
          !/^src\/generated|^dev\/kafka\/target/.test(file),
      ),
  ),
].filter((file) => file !== own);

const patterns = [/\bdist\/((?:src|dev|bench|test)\/[\w/-]+)/g, /'((?:src|dev|bench)\/[\w/-]+\/main)'/g];

/** `file: module` for each module that is named and not there; a folder may be meant as well. */
function missing(file: string): string[] {
  const text = readFileSync(path.join(root, file), 'utf8');
  const named = patterns.flatMap((pattern) => [...text.matchAll(pattern)].map(([, name = '']) => name));
  return named
    .filter((name) => !existsSync(path.join(root, `${name}.ts`)) && !existsSync(path.join(root, name)))
    .map((name) => `${file}: ${name}`);
}

/** A file of Prisma's, and one that the reader of the guide writes. */
const others = ['user-facing-error.ts', 'src/healthcore/events/invoice.ts'];

/** What comments say of other files: `folder/file.ts`, or `file.ts`. */
function missingInComments(file: string, known: readonly string[]): string[] {
  const text = readFileSync(path.join(root, file), 'utf8');
  const comments = [...text.matchAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm)].map(([comment]) => comment);
  const named = comments.flatMap((comment) => comment.match(/(?<![\w.-])[\w/.-]*\w\.ts\b/g) ?? []);
  return named
    .map((name) => name.replace(/^(\.+\/)+/, ''))
    .filter((name) => !known.some((each) => each === name || each.endsWith(`/${name}`)))
    .map((name) => `${file}: ${name}`);
}

it('files that comments name are there', () => {
  const sources = files.filter((file) => file.endsWith('.ts') && !/^test\/(adopt|fixtures)\//.test(file));
  const known = [...sources, own, 'signalbox.config.ts', 'prisma.config.ts', ...others];
  expect(sources.flatMap((file) => missingInComments(file, known))).toEqual([]);
});

it('modules that strings name are there', () => {
  expect(files.length).toBeGreaterThan(500);
  expect(files.flatMap(missing)).toEqual([]);
});
