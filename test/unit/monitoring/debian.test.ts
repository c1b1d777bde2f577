import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { findProgram } from '../../../dev/monitoring/debian';

let directory: string;
const { PATH } = process.env;
beforeEach(async () => (directory = await mkdtemp(path.join(tmpdir(), 'signalbox-debian-'))));
afterEach(async () => {
  process.env['PATH'] = PATH;
  await rm(directory, { recursive: true, force: true });
});

/** A command of this name, for a PATH that has nothing else. */
async function command(name: string, script: string): Promise<string> {
  const file = path.join(directory, name);
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, 0o755);
  process.env['PATH'] = directory;
  return file;
}

test('a program on the PATH is taken', async () => {
  const file = await command('some-program', 'exit 0');
  expect(await findProgram('some-package', 'some-program')).toBe(file);
});

test('a package that cannot be fetched is named, with why and what to do', async () => {
  await command('apt-get', 'echo "E: Unable to locate package some-package" >&2; exit 100');
  await expect(findProgram('some-package', 'some-program')).rejects.toThrow(
    'some-package could not be fetched (E: Unable to locate package some-package). Install it, or put its programs on the PATH.',
  );
});
