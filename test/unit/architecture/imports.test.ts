import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { transformSync } from '@swc/core';

/*
 * The arrows between the parts, checked on what is really loaded: every source is compiled to CommonJS, which drops
 * imports of types, and the `require` calls that remain are followed.
 */

const root = path.resolve(__dirname, '../../..');

interface Module {
  /** Path from the project's root. */
  readonly file: string;
  readonly code: string;
  /** Project files by their path from the root, packages by their name. */
  readonly imports: readonly string[];
  /** Project files that it imports anything of, types too. */
  readonly mentions: readonly string[];
}

const modules = new Map<string, Module>();
beforeAll(() => {
  for (const file of sources('src')) modules.set(file, read(file));
});

function sources(directory: string): string[] {
  return readdirSync(path.join(root, directory), { withFileTypes: true }).flatMap((entry) => {
    const name = path.join(directory, entry.name);
    if (entry.isDirectory()) return name === 'src/generated' ? [] : sources(name);
    return name.endsWith('.ts') ? [name] : [];
  });
}

function read(file: string): Module {
  const source = readFileSync(path.join(root, file), 'utf8');
  const { code } = transformSync(source, {
    filename: file,
    swcrc: false,
    jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
    module: { type: 'commonjs' },
  });
  const specifiers = [...code.matchAll(/\brequire\(\s*["'`]([^"'`]+)["'`]\s*\)/g)].map(
    ([, name]) => name ?? '',
  );
  const mentioned = [...source.matchAll(/^(?:import|export|\}) [^;'"]*from '((?:\.|signalbox)[^']*)';$/gm)];
  return {
    file,
    code: withoutComments(code),
    imports: specifiers.map((name) => resolve(file, name)),
    mentions: mentioned.map(([, name = '']) => resolve(file, name)),
  };
}

/** Good enough for generated code: strings are kept whole, so that a `//` inside one does not count. */
function withoutComments(code: string): string {
  return code.replace(
    /("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|\/\/[^\n]*|\/\*[\s\S]*?\*\//g,
    (_all, string: string | undefined) => string ?? '',
  );
}

function resolve(from: string, specifier: string): string {
  const ownName = /^signalbox(?:\/(.+))?$/.exec(specifier);
  if (ownName) return `src/public/${ownName[1] ?? 'index'}.ts`;
  if (!specifier.startsWith('.')) return specifier;
  // Imports that are made while a program runs name the compiled file.
  const base = path.join(path.dirname(from), specifier.replace(/\.js$/, ''));
  const found = [base, `${base}.ts`, path.join(base, 'index.ts')].find(
    (candidate) => candidate.endsWith('.ts') && existsSync(path.join(root, candidate)),
  );
  if (!found) throw new Error(`${from} imports ${specifier}, which does not exist`);
  return found;
}

/** Everything that is loaded with a file, with the chain of imports that leads there. */
function reach(entry: string): Map<string, string[]> {
  const chains = new Map<string, string[]>([[entry, [entry]]]);
  const queue = [entry];
  for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
    const chain = chains.get(file) ?? [];
    for (const next of modules.get(file)?.imports ?? []) {
      if (chains.has(next)) continue;
      chains.set(next, [...chain, next]);
      queue.push(next);
    }
  }
  return chains;
}

const isKafka = (name: string): boolean => /^kafkajs(\/|$)|^src\/kafka\//.test(name);

describe('the API', () => {
  it('never reaches a Kafka client, by whatever chain of imports', () => {
    const chains = [...reach('src/api/main.ts')].filter(([name]) => isKafka(name));
    expect(chains.map(([, chain]) => chain.join(' → '))).toEqual([]);
  });

  it('is looked at through all of its files', () => {
    const reached = reach('src/api/main.ts');
    for (const name of ['src/api/appointments/service.ts', 'src/outbox/context.ts', 'express', 'zod']) {
      expect([...reached.keys()]).toContain(name);
    }
    expect([...reach('src/kafka/kafkajs/client.ts').keys()]).toContain('kafkajs');
  });
});

const engine = ['events', 'shared', 'outbox', 'kafka', 'relay', 'consumers', 'ops', 'testing', 'express'];

/** What each part may import besides itself; the generated client counts as a part. */
const arrows: Readonly<Record<string, readonly string[]>> = {
  events: [],
  shared: [],
  outbox: ['events', 'shared'],
  kafka: ['events', 'shared'],
  relay: ['outbox', 'kafka', 'events', 'shared'],
  testing: ['consumers', 'outbox', 'kafka', 'events', 'shared'],
  consumers: ['kafka', 'outbox', 'events', 'shared'],
  ops: ['relay', 'consumers', 'kafka', 'outbox', 'events', 'shared'],
  express: ['outbox'],
  cli: engine,
  public: [...engine, 'cli'],
  // The package's first user knows its public names only.
  healthcore: ['public', 'generated'],
  api: ['public', 'generated', 'healthcore'],
};

const partOf = (file: string): string => file.split('/')[1] ?? '';

describe('the parts', () => {
  it.each(Object.entries(arrows))('src/%s imports of ours nothing but itself and %j', (part, allowed) => {
    const wrong = [...modules.values()]
      .filter(({ file }) => partOf(file) === part)
      .flatMap(({ file, imports }) =>
        imports
          .filter((name) => name.startsWith('src/') && ![part, ...allowed].includes(partOf(name)))
          .map((name) => `${file} → ${name}`),
      );
    expect(wrong).toEqual([]);
  });

  /** Arrows that must not be, types included: from files of the first folder to those of the others. */
  const never: [from: string, to: RegExp][] = [
    ...[...engine, 'cli', 'public'].map((part): [string, RegExp] => [
      `src/${part}/`,
      /^src\/(healthcore|generated|api)\//,
    ]),
    ...['healthcore', 'api'].map((part): [string, RegExp] => [
      `src/${part}/`,
      /^src\/(?!healthcore|generated|api|public)/,
    ]),
    ['src/outbox/prisma/middleware/', /^src\/outbox\/prisma\/trigger\//],
    ['src/outbox/prisma/trigger/', /^src\/outbox\/prisma\/middleware\//],
  ];
  it.each(never)('%s never imports %s, not even a type', (from, to) => {
    const wrong = [...modules.values()]
      .filter(({ file }) => file.startsWith(from))
      .flatMap(({ file, mentions }) =>
        mentions.filter((name) => to.test(name)).map((name) => `${file} → ${name}`),
      );
    expect(wrong).toEqual([]);
  });

  it('never import dev/, bench/ or test/', () => {
    const wrong = [...modules.values()].flatMap(({ file, imports }) =>
      imports.filter((name) => /^(dev|bench|test)\//.test(name)).map((name) => `${file} → ${name}`),
    );
    expect(wrong).toEqual([]);
  });

  it('have no file that imports itself by a chain of others', () => {
    const rings = [...modules.keys()].flatMap((file) =>
      (modules.get(file)?.imports ?? []).flatMap((name) => {
        const back = modules.has(name) ? reach(name).get(file) : undefined;
        return back ? [[file, ...back].join(' → ')] : [];
      }),
    );
    expect(rings).toEqual([]);
  });

  it('leave kafkajs to src/kafka/kafkajs/, its types and inner files too', () => {
    const users = [...modules.keys()].filter((file) =>
      /['"]kafkajs(?:\/|['"])/.test(readFileSync(path.join(root, file), 'utf8')),
    );
    expect(users).toContain('src/kafka/kafkajs/client.ts');
    expect(users.filter((file) => !file.startsWith('src/kafka/kafkajs/'))).toEqual([]);
  });

  it('leave the environment to main.ts', () => {
    const readers = [...modules.values()].filter(({ code }) =>
      /\bprocess\s*(\.|\?\.|\[["'])\s*env\b/.test(code),
    );
    expect(readers.map(({ file }) => file).filter((file) => path.basename(file) !== 'main.ts')).toEqual([]);
    expect(readers.map(({ file }) => file)).toContain('src/api/main.ts');
  });
});

it('the subpaths of the package are the files of src/public', () => {
  const { exports } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
    exports: Record<string, string | { default: string }>;
  };
  const targets = Object.values(exports).flatMap((target) =>
    typeof target === 'string' ? [] : [path.basename(target.default, '.js')],
  );
  const files = readdirSync(path.join(root, 'src/public')).map((name) => path.basename(name, '.ts'));
  expect(targets.sort()).toEqual(files.sort());
});
