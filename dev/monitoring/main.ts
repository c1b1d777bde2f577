import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { format } from 'prettier';
import { findProjectRoot } from '../kafka/projectRoot';
import { dashboards } from './dashboards/all';
import { render } from './dashboards/panel';

/** `npm run dashboards`: writes deploy/grafana/dashboards/*.json. A unit test says whether they are up to date. */
async function main(): Promise<void> {
  const directory = path.join(findProjectRoot(__dirname), 'deploy/grafana/dashboards');
  await mkdir(directory, { recursive: true });
  for (const dashboard of dashboards) {
    const file = path.join(directory, `${dashboard.name}.json`);
    const text = await format(JSON.stringify(render(dashboard)), { parser: 'json', printWidth: 110 });
    await writeFile(file, text);
  }
}

void main();
