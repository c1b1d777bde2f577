import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { loadConfigFile } from '../../../src/cli/config/load';
import { projectOf } from '../../../src/cli/project';
import { defineCatalogue } from '../../../src/events/catalogue';

let directory: string;
beforeEach(() => (directory = mkdtempSync(path.join(tmpdir(), 'signalbox-config-'))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const write = (name: string, text: string): void => writeFileSync(path.join(directory, name), text);

describe('signalbox.config', () => {
  it.each([
    [
      'signalbox.config.ts',
      'const name: string = "shop"; export default { name, catalogue: { aggregates: [] } };',
    ],
    ['signalbox.config.mjs', 'export default { name: "shop", catalogue: { aggregates: [] } };'],
    ['signalbox.config.cjs', 'module.exports = { name: "shop", catalogue: { aggregates: [] } };'],
  ])('is found as %s and loaded as it is', async (name, text) => {
    write(name, text);
    expect(await loadConfigFile(directory, undefined)).toMatchObject({ name: 'shop' });
  });

  it('says in one line what is wrong with it', async () => {
    await expect(loadConfigFile(directory, undefined)).rejects.toThrow(
      /^There is no signalbox\.config\.ts in .*npx signalbox init/,
    );
    await expect(loadConfigFile(directory, 'other.ts')).rejects.toThrow(/other\.ts does not exist\.$/);
    write('signalbox.config.ts', 'export default { name: "" };');
    await expect(loadConfigFile(directory, undefined)).rejects.toThrow(
      'its default export must be defineConfig(',
    );
    write('odd.ts', 'export default { name: "My Shop", catalogue: { aggregates: [] } };');
    await expect(loadConfigFile(directory, 'odd.ts')).rejects.toThrow(
      /odd\.ts: name "My Shop" cannot begin the names of topics: expected letters, digits/,
    );
    write('broken.ts', 'throw new Error("no\\nlines");');
    await expect(loadConfigFile(directory, 'broken.ts')).rejects.toThrow(
      /broken\.ts cannot be loaded: (Error: )?no$/,
    );
  });
});

describe('a project', () => {
  const config = { name: 'shop', catalogue: defineCatalogue({ aggregates: [] }) };

  it('names topics and groups after itself, unless variables say otherwise; an empty one counts as unset', () => {
    expect(projectOf(directory, config, {}).environment).toMatchObject({
      KAFKA_TOPIC_PREFIX: 'shop',
      CONSUMER_GROUP_PREFIX: 'shop',
      OUTBOX_CAPTURE: 'trigger',
    });
    const given = { KAFKA_TOPIC_PREFIX: '', CONSUMER_GROUP_PREFIX: 'staging', OTHER: 'x' };
    expect(projectOf(directory, { ...config, capture: 'middleware' }, given).environment).toMatchObject({
      KAFKA_TOPIC_PREFIX: 'shop',
      CONSUMER_GROUP_PREFIX: 'staging',
      OUTBOX_CAPTURE: 'middleware',
      OTHER: 'x',
    });
  });

  it('has its schema where Prisma looks for it, and its paths from its folder', () => {
    expect(projectOf(directory, config, {}).schema).toBe(path.join(directory, 'prisma/schema.prisma'));
    write('schema.prisma', '');
    expect(projectOf(directory, config, {}).schema).toBe(path.join(directory, 'schema.prisma'));
    const { schema, migrations } = projectOf(directory, { ...config, schema: 'db', migrations: 'db/m' }, {});
    expect([schema, migrations]).toEqual([path.join(directory, 'db'), path.join(directory, 'db/m')]);
  });
});
