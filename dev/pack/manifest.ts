/** What the published package.json says; package.json of this repository is HealthCore's as well. */

interface RepositoryManifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly engines: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly dependencies: Readonly<Record<string, string>>;
}

/** What the compiled package requires, whatever the application has. */
const own = ['commander', 'fzstd', 'jiti', 'kafkajs', 'pino', 'prom-client', 'zod'];
/** Shared with Prisma's adapter, which brings it along. */
const shared = { pg: '^8.16.3', '@prisma/driver-adapter-utils': '>=7.1.0 <8' };
/** The application's own: there must be one copy of them. */
const peers = { '@prisma/adapter-pg': '>=7.1.0 <8', '@prisma/client': '>=7.1.0 <8' };
/** Only for topics whose batches are compressed in this way. */
const optional = ['lz4-napi', 'snappy'];

/** `dist/src/…` of the repository is `lib/…` in the package. */
const moved = (path: string): string => path.replace('./dist/src/', './lib/');

/** @throws Error when a dependency is named here that package.json does not have. */
export function packageManifest(repository: RepositoryManifest): Record<string, unknown> {
  const { name, version, description, license, engines, exports, dependencies } = repository;
  const caret = (names: readonly string[]): Record<string, string> =>
    Object.fromEntries(
      names.map((dependency) => {
        const exact = dependencies[dependency];
        if (exact === undefined) throw new Error(`package.json has no dependency "${dependency}"`);
        return [dependency, `^${exact}`];
      }),
    );
  return {
    name,
    version,
    description,
    license,
    type: 'commonjs',
    keywords: ['prisma', 'kafka', 'outbox', 'events', 'signals', 'postgres'],
    engines,
    bin: { signalbox: './lib/cli/main.js' },
    main: './lib/public/index.js',
    types: './lib/public/index.d.ts',
    exports: Object.fromEntries(
      Object.entries(exports).map(([subpath, target]) => [subpath, movedTarget(target)]),
    ),
    // For TypeScript's older resolution ("node10"), which does not read `exports`.
    typesVersions: { '*': typesVersions(exports) },
    files: ['lib', 'src/outbox/sql'],
    dependencies: { ...caret(own), ...shared },
    peerDependencies: { ...peers, ...caret(optional) },
    peerDependenciesMeta: Object.fromEntries(optional.map((dependency) => [dependency, { optional: true }])),
  };
}

function typesVersions(exports: RepositoryManifest['exports']): Record<string, readonly string[]> {
  const subpaths = Object.entries(exports).flatMap(([subpath, target]): [string, string[]][] =>
    subpath === '.' || typeof target === 'string' ? [] : [[subpath.slice(2), [moved(target['types'] ?? '')]]],
  );
  return Object.fromEntries(subpaths);
}

function movedTarget(target: string | Readonly<Record<string, string>>): unknown {
  if (typeof target === 'string') return moved(target);
  return Object.fromEntries(Object.entries(target).map(([condition, path]) => [condition, moved(path)]));
}
