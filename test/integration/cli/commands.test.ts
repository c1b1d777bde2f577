/** The program `signalbox` as users start it; what each command does has tests of its own. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { compile, projectRoot } from '../../support/compile';
import { createEmptyDatabase, createTestDatabase, type TestDatabase } from '../../support/database';
import { spawnProcess, spawnProgram, spawnSignalbox } from '../../support/process';

interface Ran {
  readonly code: number | null;
  readonly output: string;
}

async function run(command: string, args: string[] = [], env: Record<string, string> = {}): Promise<Ran> {
  const program = await spawnSignalbox(command, { args, env });
  const { code } = await program.exited;
  return { code, output: program.output() };
}

let directory: string;
beforeEach(async () => (directory = await mkdtemp(path.join(tmpdir(), 'signalbox-cli-'))));
afterEach(() => rm(directory, { recursive: true, force: true }));

describe('signalbox', () => {
  it('lists its commands, and has help for one by either way of asking', async () => {
    const program = await spawnProgram('src/cli/main', { args: ['--help'] });
    await program.exited;
    for (const name of [
      'init',
      'sync',
      'check',
      'migrate',
      'relay',
      'consumers',
      'console',
      'ops',
      'schemas',
      'doctor',
    ])
      expect(program.output()).toMatch(new RegExp(`^  ${name} +\\S`, 'm'));
    const asked = await Promise.all([run('sync', ['--help']), run('help', ['sync'])]);
    for (const { code, output } of asked) {
      expect(code).toBe(0);
      expect(output).toContain('--repair');
    }
  });

  it('says in one line that there is no such command, and which was meant', async () => {
    const { code, output } = await run('relai');
    expect(code).toBe(1);
    expect(output).toMatch(/^error: unknown command 'relai'\n\(Did you mean relay\?\)\n$/);
  });
});

describe('check', () => {
  let database: TestDatabase | undefined;
  afterEach(async () => {
    await database?.drop();
    database = undefined;
  });

  it('looks at schema, catalogue and migrations without a database', async () => {
    expect(await run('check')).toEqual({ code: 0, output: 'Schema, catalogue and migrations fit.\n' });
  });

  it('names the migrations that a database lacks', async () => {
    database = await createEmptyDatabase();
    const { code, output } = await run('check', [], { DATABASE_URL: database.url });
    expect(code).toBe(1);
    expect(output).toMatch(/^The database lacks migrations: \d+_healthcore, .*"npx signalbox migrate"\.\n$/);
  });

  it('names triggers that were switched off, and nothing where all is well', async () => {
    database = await createTestDatabase();
    const env = { DATABASE_URL: database.url };
    expect(await run('check', [], env)).toEqual({
      code: 0,
      output: 'Schema, catalogue, migrations and database fit.\n',
    });
    const client = new Client({ connectionString: database.url });
    await client.connect();
    await client.query('ALTER TABLE patients DISABLE TRIGGER signalbox_patient_update');
    await client.end();
    const { code, output } = await run('check', [], env);
    expect(code).toBe(1);
    expect(output).toContain(
      'In the database, the trigger signalbox_patient_update on "patients" is switched off.',
    );
  });
});

describe('schemas', () => {
  it('writes every schema, removes those of events that no longer exist, and touches no other file', async () => {
    const gone = { $id: 'urn:signalbox:patient.renamed:1.0' };
    await writeFile(path.join(directory, 'patient.renamed.json'), JSON.stringify(gone));
    await writeFile(path.join(directory, 'package.json'), '{ "name": "mine" }');
    await writeFile(path.join(directory, 'broken.json'), '{');
    expect((await run('schemas', ['--out', directory])).code).toBe(0);
    expect(readdirSync(directory)).not.toContain('patient.renamed.json');
    expect(readdirSync(directory)).toEqual(
      expect.arrayContaining(['broken.json', 'package.json', 'patient.created.json']),
    );
    expect(readFileSync(path.join(directory, 'package.json'), 'utf8')).toBe('{ "name": "mine" }');
  });
});

describe('init', () => {
  const schema = `datasource db {
  provider = "postgresql"
}
model Order {
  id      Int    @id
  orderId String
  note    String?
}
`;

  async function signalbox(args: string[], env: Record<string, string> = {}): Promise<Ran> {
    const program = await spawnProcess({
      command: process.execPath,
      args: [path.join(await compile(), 'src/cli/main.js'), ...args],
      cwd: directory,
      env,
    });
    const { code } = await program.exited;
    return { code, output: program.output() };
  }
  const init = (...args: string[]): Promise<Ran> => signalbox(['init', ...args]);

  beforeEach(async () => {
    await mkdir(path.join(directory, 'prisma'));
    await mkdir(path.join(directory, 'node_modules'));
    await symlink(projectRoot, path.join(directory, 'node_modules', 'signalbox'));
    await writeFile(path.join(directory, 'package.json'), '{ "name": "shop" }');
    await writeFile(path.join(directory, 'prisma', 'schema.prisma'), schema);
  });

  const files = (): string[] =>
    readdirSync(directory, { recursive: true, encoding: 'utf8' })
      .filter((name) => !name.startsWith('node_modules') && path.extname(name) !== '')
      .sort();

  it('shows and writes nothing with --dry-run, and asks at a terminal only', async () => {
    const before = files();
    const dry = await init('--dry-run');
    expect(dry.code).toBe(0);
    expect(dry.output).toContain("+   type: 'order',");
    const refused = await init();
    expect(refused).toEqual({
      code: 1,
      output: 'init asks at a terminal only: add --yes, and --models for some of the models.\n',
    });
    expect(files()).toEqual(before);
  });

  it('sets a project up that has no migrations yet, and a second time changes no byte', async () => {
    const { code, output } = await init('--yes');
    expect(code).toBe(0);
    expect(output).toContain("comments: [contextComments({ source: 'shop' })]");
    const written = files();
    expect(written).toEqual([
      'package.json',
      expect.stringMatching(/^prisma\/migrations\/\d{14}_signalbox\/migration\.sql$/),
      'prisma/schema.prisma',
      'signalbox.config.ts',
      'signals/catalogue.ts',
    ]);
    const contents = written.map((name) => readFileSync(path.join(directory, name), 'utf8'));
    const again = await init('--yes');
    expect(again.code).toBe(0);
    expect(again.output).toMatch(/^Nothing to do:/);
    expect(files()).toEqual(written);
    expect(written.map((name) => readFileSync(path.join(directory, name), 'utf8'))).toEqual(contents);
  });

  it('installs itself where the tables came by "prisma db push" and there are no migrations but its own', async () => {
    const database = await createEmptyDatabase();
    const client = new Client({ connectionString: database.url });
    await client.connect();
    try {
      await client.query(
        'CREATE TABLE public."Order" (id int PRIMARY KEY, "orderId" text NOT NULL, note text)',
      );
      await init('--yes');
      expect(await signalbox(['migrate'], { DATABASE_URL: database.url })).toMatchObject({ code: 0 });
      expect(await signalbox(['check'], { DATABASE_URL: database.url })).toEqual({
        code: 0,
        output: 'Schema, catalogue, migrations and database fit.\n',
      });
      await client.query(`INSERT INTO public."Order" VALUES (7, 'x', NULL)`);
      const { rows } = await client.query('SELECT event_type, aggregate_id FROM signalbox.outbox');
      expect(rows).toEqual([{ event_type: 'order.created', aggregate_id: '7' }]);
    } finally {
      await client.end();
      await database.drop();
    }
  });

  it('leaves a project alone whose configuration names a catalogue of its own', async () => {
    await init('--yes');
    const config = path.join(directory, 'signalbox.config.ts');
    await writeFile(config, readFileSync(config, 'utf8').replace('signals/catalogue', 'events'));
    await writeFile(
      path.join(directory, 'events.ts'),
      readFileSync(path.join(directory, 'signals/catalogue.ts')),
    );
    await rm(path.join(directory, 'signals'), { recursive: true });
    expect((await init('--yes')).output).toMatch(/^Nothing to do:/);
    expect(existsSync(path.join(directory, 'signals'))).toBe(false);
  });
});
