'use strict';
/**
 * Generates the Prisma client into src/generated/prisma; npm runs this after every install.
 *
 * `prisma generate` never executes the schema engine, yet the CLI insists on downloading it first.
 * Pointing it at any existing executable keeps the install free of downloads. The same variable must
 * never be set for `prisma migrate`, which would report success and apply nothing.
 */
const { spawnSync } = require('node:child_process');

/** Without development dependencies there is no CLI, and what is deployed brings its generated client along. */
function findCli() {
  try {
    return require.resolve('prisma/build/index.js');
  } catch (error) {
    if (error.code !== 'MODULE_NOT_FOUND') throw error;
    return undefined;
  }
}

const cli = findCli();
if (cli === undefined) {
  process.stdout.write('The Prisma CLI is not installed, so src/generated is left as it is.\n');
  process.exit(0);
}

const result = spawnSync(process.execPath, [cli, 'generate', '--no-hints'], {
  cwd: require('node:path').resolve(__dirname, '..'),
  env: { PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, PRISMA_HIDE_UPDATE_MESSAGE: '1', ...process.env },
  stdio: ['ignore', 'pipe', 'inherit'],
});
if (result.status !== 0) {
  process.stderr.write(result.stdout);
  process.exit(result.status ?? 1);
}
