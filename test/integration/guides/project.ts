/** A copy of the project to which the code blocks of a guide are applied. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

const root = path.resolve(__dirname, '../../..');
const copied = [
  'src',
  'prisma',
  'prisma.config.ts',
  'package.json',
  'signalbox.config.ts',
  'jest.config.js',
  'tsconfig.json',
  'tsconfig.build.json',
];
/** What Node is started with for a command of the copy's, after it was compiled. */
export const signalbox = ['dist/src/cli/main.js', '--config', 'dist/signalbox.config.js'];
const compiler = 'node_modules/typescript/bin/tsc';

/** A fenced block: its language is followed by what it is, e.g. `file=src/healthcore/events/invoice.ts`. */
export interface Block {
  readonly info: string;
  readonly body: string;
}

export interface Ran {
  readonly code: number;
  /** Both streams. */
  readonly output: string;
}

/** The blocks of a page that say what they are. */
export async function readBlocks(file = 'docs/adding-an-event.md'): Promise<Block[]> {
  const page = await readFile(path.join(root, file), 'utf8');
  return [...page.matchAll(/^```\w+ ([^\n]+)\n(.*?)^```$/gms)].map(([, info = '', body = '']) => ({
    info,
    body,
  }));
}

export class Project {
  private constructor(readonly directory: string) {}

  static async copy(): Promise<Project> {
    const directory = await mkdtemp(path.join(tmpdir(), 'signalbox-guide-'));
    const notGenerated = (source: string): boolean => !source.startsWith(path.join(root, 'src/generated'));
    for (const name of copied) {
      await cp(path.join(root, name), path.join(directory, name), { recursive: true, filter: notGenerated });
    }
    await symlink(path.join(root, 'node_modules'), path.join(directory, 'node_modules'));
    return new Project(directory);
  }

  async remove(): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }

  path(file: string): string {
    return path.join(this.directory, file);
  }

  /** Does what a reader does with a block. @throws Error when there is no place for it. */
  async apply({ info, body }: Block): Promise<void> {
    const [, how, file = ''] = /^([\w-]+)=(\S+)$/.exec(info) ?? [];
    if (how === 'file') return this.#write(file, body);
    if (how === 'append-to') return this.edit(file, (text) => `${text}\n${body}`);
    if (how === 'add-to') return this.edit(file, (text) => addTo(text, body));
    if (how === 'change') return this.edit(file, (text) => change(text, body));
  }

  async edit(file: string, edit: (text: string) => string): Promise<void> {
    const text = await readFile(this.path(file), 'utf8');
    const edited = edit(text);
    if (edited === text) throw new Error(`Nothing in ${file} was changed`);
    await writeFile(this.path(file), edited);
  }

  async #write(file: string, body: string): Promise<void> {
    await mkdir(path.dirname(this.path(file)), { recursive: true });
    await writeFile(this.path(file), body, { flag: 'wx' });
  }

  /** Runs a Node program in the copy, to its end. */
  async node(args: string[], env: NodeJS.ProcessEnv = {}): Promise<Ran> {
    return new Promise((settle) => {
      const options = { cwd: this.directory, env: { ...process.env, ...env } };
      execFile(process.execPath, args, options, (error, stdout, stderr) => {
        settle({ code: error ? 1 : 0, output: stdout + stderr });
      });
    });
  }

  /** Runs a command of `signalbox`, of the compiled copy. */
  signalbox(...args: string[]): Promise<Ran> {
    return this.node([...signalbox, ...args]);
  }

  /** As `npm run build` does. */
  compile(): Promise<Ran> {
    return this.node([compiler, '-p', 'tsconfig.build.json']);
  }

  /**
   * What the compiler says to catalogues of one copy of an aggregate's file each, with one fault each, and to a catalogue
   * of all of them, when they are handed to an engine as src/healthcore/capturedClient.ts does.
   */
  async complaints(file: string, faults: readonly [from: string, to: string][]): Promise<string> {
    const text = await readFile(this.path(file), 'utf8');
    const name = path.basename(file, '.ts');
    const checks = [
      `import { defineCatalogue } from 'signalbox';`,
      `import { withCapture } from 'signalbox/prisma';`,
      `import { createPrismaClient } from './createPrismaClient';`,
      'declare const prisma: ReturnType<typeof createPrismaClient>;',
      'declare const options: Omit<Parameters<typeof withCapture>[1], "catalogue">;',
    ];
    const check = (what: string, aggregates: string): void => {
      checks.push(`const ${what} = defineCatalogue({ aggregates: [${aggregates}] });`);
      checks.push(`withCapture(prisma, { ...options, catalogue: ${what} });`);
    };
    const all: string[] = [];
    for (const [nr, [from, to]] of faults.entries()) {
      if (!text.includes(from)) throw new Error(`There is no ${from} in ${file}`);
      const wrong = text.replace('{ date,', '{ date, int,').replace(from, to);
      await writeFile(this.path(`src/healthcore/events/fault${nr}.ts`), wrong);
      checks.push(`import { ${name} as fault${nr} } from './events/fault${nr}';`);
      check(`catalogue${nr}`, `fault${nr}`);
      all.push(`fault${nr}`);
    }
    check('together', all.join(', '));
    await writeFile(this.path('src/healthcore/faults.ts'), checks.join('\n'));
    const config = { extends: './tsconfig.json', files: ['src/healthcore/faults.ts'], include: [] };
    await writeFile(this.path('tsconfig.faults.json'), JSON.stringify(config));
    const flags = ['--noEmit', '--noErrorTruncation', '--types', 'node'];
    return (await this.node([compiler, '-p', 'tsconfig.faults.json', ...flags])).output;
  }

  /** Runs unit tests without the servers that the other tiers start. */
  async unitTest(file: string): Promise<Ran> {
    const config = `module.exports = require('./jest.config.js').projects[0];`;
    await writeFile(this.path('jest.unit.config.js'), config);
    return this.node(['node_modules/jest/bin/jest.js', '--config', 'jest.unit.config.js', file]);
  }
}

/** A rule goes to the aggregate's events, a field to the model of the patient, a consumer to the list of all. */
function addTo(text: string, body: string): string {
  return text.replace(
    /^(?: {2}events: \{|model Patient \{|export const consumers: .* = \[)\n/m,
    (start) => start + body,
  );
}

/** Imports go to the top; any other line takes the place of the one that declares the same. */
function change(text: string, body: string): string {
  return body.split('\n').reduce((changed, line) => {
    if (line.startsWith('import')) return `${line}\n${changed}`;
    const declares = /^[^=:]*[=:]/.exec(line)?.[0];
    if (declares === undefined) return changed;
    return changed.replace(new RegExp(`^${declares}.*$`, 'm'), line);
  }, text);
}
