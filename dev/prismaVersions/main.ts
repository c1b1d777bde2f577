/**
 * `npm run test:prisma -- 7.5.0 7.8.0`: the suites of capture on other versions of Prisma, each installed into a copy of
 * this repository. Needs the package registry. Ends with 1 when a suite fails on one of them.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { findProjectRoot } from '../kafka/projectRoot';

const root = findProjectRoot(__dirname);

/** Every package of Prisma's that has to be of one version. */
const prismaPackages = ['prisma', '@prisma/client', '@prisma/adapter-pg', '@prisma/driver-adapter-utils'];

/** What depends on the inside of Prisma: both engines, what they promise, and schemas of other people. */
const suites = 'integration/(capture|trigger|pitfalls|statements|corpus)/';
/** Before 7.5 there are only the triggers, in a program without withSignals (src/outbox/prisma/prismaVersion.ts). */
const suitesOfTriggers = 'integration/trigger/(?!capture|watch|renamed)';
const suitesOf = (version: string): string => (Number(version.split('.')[1]) < 5 ? suitesOfTriggers : suites);

interface Manifest {
  overrides?: Record<string, string>;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
}

/** Whether the suites pass with this version. */
function passes(version: string, pattern: string): boolean {
  const directory = mkdtempSync(path.join(tmpdir(), `signalbox-prisma-${version}-`));
  try {
    copyTo(directory);
    setVersion(directory, version);
    const install = ['install', '--no-audit', '--no-fund', '--loglevel=error'];
    if (spawnSync('npm', install, { cwd: directory, stdio: 'inherit' }).status !== 0) return false;
    process.stdout.write(`Prisma ${version}: ${pattern}\n`);
    const jest = ['jest', '--ci', '--testPathPatterns', pattern, '--selectProjects', 'integration'];
    return spawnSync('npx', jest, { cwd: directory, stdio: 'inherit' }).status === 0;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** What git knows or would take, as it is in the work tree. */
function copyTo(directory: string): void {
  const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const listed = execFileSync('git', list, { cwd: root, encoding: 'utf8' });
  for (const file of listed.split('\0').filter((name) => name !== ''))
    cpSync(path.join(root, file), path.join(directory, file));
}

function setVersion(directory: string, version: string): void {
  const file = path.join(directory, 'package.json');
  const manifest = JSON.parse(readFileSync(file, 'utf8')) as Manifest;
  for (const list of [manifest.dependencies, manifest.devDependencies])
    for (const name of prismaPackages) if (name in list) list[name] = version;
  // Some versions of the adapter ask for older types of pg than ours.
  manifest.overrides = { '@types/pg': '$@types/pg' };
  writeFileSync(file, JSON.stringify(manifest, null, 2));
}

function version(word: string): string {
  if (!/^\d+\.\d+\.\d+$/.test(word)) throw new InvalidArgumentError('Expected a version such as 7.5.0.');
  return word;
}

void new Command('npm run test:prisma --')
  .description('Runs the suites of capture on other versions of Prisma, in copies of this repository.')
  .argument('<version...>', 'versions of Prisma', (word: string, before?: string[]) => [
    ...(before ?? []),
    version(word),
  ])
  .option('--suites <pattern>', 'which test files, a regular expression')
  .action((versions: string[], options: { suites?: string }) => {
    const failed = versions.filter((each) => !passes(each, options.suites ?? suitesOf(each)));
    if (failed.length > 0) process.stderr.write(`Failed on Prisma ${failed.join(', ')}.\n`);
    process.exitCode = failed.length > 0 ? 1 : 0;
  })
  .parse();
