/** `npm run api:report`: writes docs/api.md anew; with `--check` it only compares, and ends with 1 for a difference. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Command } from 'commander';
import { format } from 'prettier';
import { findProjectRoot } from '../kafka/projectRoot';
import { renderReport } from './report';

const root = findProjectRoot(__dirname);
const page = path.join(root, 'docs', 'api.md');

async function main({ check }: { readonly check: boolean }): Promise<void> {
  const compiler = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  execFileSync(process.execPath, [compiler, '--project', 'tsconfig.package.json'], {
    cwd: root,
    stdio: 'inherit',
  });
  const subpaths = readdirSync(path.join(root, 'src', 'public')).map((name) => path.basename(name, '.ts'));
  const ordered = ['index', ...subpaths.filter((name) => name !== 'index').toSorted()];
  const style = JSON.parse(readFileSync(path.join(root, '.prettierrc.json'), 'utf8')) as object;
  const report = renderReport(path.join(root, 'dist', 'package', 'lib'), ordered);
  const text = await format(report, { ...style, parser: 'markdown' });
  if (!check) {
    writeFileSync(page, text);
    process.stdout.write('Wrote docs/api.md\n');
  } else if (readFileSync(page, 'utf8') === text) {
    process.stdout.write('docs/api.md is what the package exports.\n');
  } else {
    process.stderr.write(
      'docs/api.md is not what the package exports: run "npm run api:report" and look at what changed.\n',
    );
    process.exitCode = 1;
  }
}

void new Command('api:report')
  .description('Writes what the package exports to docs/api.md.')
  .option('--check', 'compare only; exit 1 for a difference', false)
  .action(main)
  .parseAsync();
