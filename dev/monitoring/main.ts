import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Command } from 'commander';
import { format } from 'prettier';
import { findProjectRoot } from '../kafka/projectRoot';
import { dashboards } from './dashboards/all';
import { render } from './dashboards/panel';

/** Writes deploy/grafana/dashboards/*.json; with --check it only says which of them differ. Resolves to the exit code. */
async function main({ check = false }: { check?: boolean }): Promise<number> {
  const directory = path.join(findProjectRoot(__dirname), 'deploy/grafana/dashboards');
  await mkdir(directory, { recursive: true });
  let differing = 0;
  for (const dashboard of dashboards) {
    const file = path.join(directory, `${dashboard.name}.json`);
    const text = await format(JSON.stringify(render(dashboard)), { parser: 'json', printWidth: 110 });
    if (check && (await readFile(file, 'utf8')) !== text) {
      differing += 1;
      process.stderr.write(`${dashboard.name}.json differs: run "npm run dashboards".\n`);
    }
    if (!check) await writeFile(file, text);
  }
  return differing === 0 ? 0 : 1;
}

void new Command('npm run dashboards --')
  .description('Writes the Grafana dashboards in deploy/grafana/dashboards.')
  .option('--check', 'only say which files differ')
  .action(async (options: { check?: boolean }) => process.exit(await main(options)))
  .parseAsync();
