import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'signalbox-stale-'));
  cpSync('dev/build', join(root, 'dev/build'), { recursive: true });
  mkdirSync(join(root, 'dist'));
  build("require('node:fs').appendFileSync('dist/builds', 'x')");
});
afterEach(() => rmSync(root, { recursive: true }));

function build(script: string): void {
  writeFileSync(join(root, 'build.js'), script);
  writeFileSync(join(root, 'package.json'), JSON.stringify({ scripts: { build: 'node build.js' } }));
}

const run = (): void =>
  void execFileSync(process.execPath, [join(root, 'dev/build/ifStale.js')], { stdio: 'pipe' });
const builds = (): number =>
  existsSync(join(root, 'dist/builds')) ? readFileSync(join(root, 'dist/builds'), 'utf8').length : 0;

/** Ahead of the clock, which may not have moved since the build. */
function change(file: string): void {
  mkdirSync(join(root, 'src/part'), { recursive: true });
  writeFileSync(join(root, file), '');
  const later = new Date(Date.now() + 5_000);
  utimesSync(join(root, file), later, later);
}

test('a command compiles once, and again when a source has changed', () => {
  mkdirSync(join(root, 'src'));
  run();
  run();
  expect(builds()).toBe(1);
  change('src/part/deep.ts');
  run();
  expect(builds()).toBe(2);
});

test('a build that fails fails the command, and is tried again', () => {
  mkdirSync(join(root, 'src'));
  build('process.exit(2)');
  expect(run).toThrow();
  expect(run).toThrow();
});

test('without sources, as in the image, nothing is compiled', () => {
  run();
  expect(builds()).toBe(0);
});
