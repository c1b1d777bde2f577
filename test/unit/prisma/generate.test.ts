import { spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

/* `npm ci --omit=dev` runs the postinstall script without Prisma's CLI. */
it('the step after an install leaves the generated client alone where the CLI of Prisma is not installed', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'signalbox-install-'));
  await mkdir(path.join(directory, 'prisma'));
  await cp(path.resolve('prisma/generate.js'), path.join(directory, 'prisma/generate.js'));
  const { status, stdout, stderr } = spawnSync(process.execPath, ['prisma/generate.js'], {
    cwd: directory,
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toContain('CLI is not installed');
  await rm(directory, { recursive: true });
});
