'use strict';

/*
 * Compiles when a source is newer than the last build, so that a command for people starts at once when nothing has
 * changed. Where there are no sources (in the image) there is nothing to compile. JavaScript, because it runs before
 * anything is compiled.
 */
const { execFileSync } = require('node:child_process');
const { existsSync, readdirSync, statSync, utimesSync, writeFileSync } = require('node:fs');
const nodePath = require('node:path');

const root = nodePath.join(__dirname, '../..');
/** Written after a build that succeeded. */
const stamp = nodePath.join(root, 'dist/.built');
const sources = ['src', 'dev', 'bench', 'test/chaos', 'package.json', 'tsconfig.json', 'tsconfig.build.json'];

/** When the file, or anything in the directory, changed last; a directory changes when an entry comes or goes. */
function changedAt(path) {
  const found = statOf(path);
  if (!found.isDirectory) return found.mtimeMs;
  const entries = readdirSync(path).filter((name) => name !== 'node_modules' && name !== 'target');
  return Math.max(found.mtimeMs, ...entries.map((name) => changedAt(nodePath.join(path, name))));
}

function statOf(path) {
  const stat = statSync(path, { throwIfNoEntry: false });
  return { mtimeMs: stat?.mtimeMs ?? 0, isDirectory: stat?.isDirectory() ?? false };
}

function isStale() {
  if (!existsSync(nodePath.join(root, 'src'))) return false;
  const builtAt = statOf(stamp).mtimeMs;
  return sources.some(
    (name) => existsSync(nodePath.join(root, name)) && changedAt(nodePath.join(root, name)) > builtAt,
  );
}

if (isStale()) {
  const startedAt = new Date();
  try {
    execFileSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: ['ignore', 2, 2] });
  } catch {
    // The compiler has said what is wrong.
    process.exit(1);
  }
  writeFileSync(stamp, '');
  // What changed while the compiler ran is newer.
  utimesSync(stamp, startedAt, startedAt);
}
