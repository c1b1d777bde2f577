/**
 * `npm run pack`: compiles the package by itself, without HealthCore, into a folder with a package.json of its own, and
 * packs it. The last line is the tarball's path.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { findProjectRoot } from '../kafka/projectRoot';
import { packageManifest } from './manifest';

const root = findProjectRoot(__dirname);
const folder = path.join(root, 'dist', 'package');
const documents = ['README.md', 'LICENSE', 'CHANGELOG.md'];

rmSync(folder, { recursive: true, force: true });
const compiler = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
execFileSync(process.execPath, [compiler, '--project', 'tsconfig.package.json'], {
  cwd: root,
  stdio: 'inherit',
});
chmodSync(path.join(folder, 'lib', 'cli', 'main.js'), 0o755);
cpSync(path.join(root, 'src/outbox/sql'), path.join(folder, 'src/outbox/sql'), {
  recursive: true,
  filter: (source) => !source.endsWith('.ts'),
});
const repository = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as Parameters<
  typeof packageManifest
>[0];
writeFileSync(
  path.join(folder, 'package.json'),
  `${JSON.stringify(packageManifest(repository), undefined, 2)}\n`,
);
for (const name of documents) {
  if (existsSync(path.join(root, name))) copyFileSync(path.join(root, name), path.join(folder, name));
}
const packed = execFileSync('npm', ['pack', '--json', '--pack-destination', path.join(root, 'dist')], {
  cwd: folder,
  encoding: 'utf8',
  // npm's notices are no part of the result.
  stdio: ['ignore', 'pipe', 'inherit'],
});
const [{ filename = '' } = {}] = JSON.parse(packed) as { filename?: string }[];
process.stdout.write(`${path.join(root, 'dist', filename)}\n`);
