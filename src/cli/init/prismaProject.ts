import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { UserError } from '../../shared/lifecycle';
import { standardSchema } from '../project';

/** What init needs to know of a Prisma project. */
export interface PrismaProject {
  readonly directory: string;
  /** A word for topics and groups, from the package's name. */
  readonly name: string;
  /** From the project's folder: the schema's file, or the folder of its files. */
  readonly schema: string;
  readonly migrations: string;
  /** Where the project's sources are: `src` or the project itself. */
  readonly sources: string;
  /** What relative imports end with: `.js` where Node resolves ECMAScript modules. */
  readonly importEnding: '' | '.js';
  readonly dependencies: ReadonlySet<string>;
}

interface PackageJson {
  readonly name?: string;
  readonly type?: string;
  readonly prisma?: { readonly schema?: string };
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/**
 * Looks at a project's package.json, tsconfig.json and prisma.config.ts.
 * @param given The schema that the caller names, if it does.
 * @throws UserError when this is not a project, or when it has no schema.
 */
export async function readPrismaProject(
  directory: string,
  given: string | undefined,
): Promise<PrismaProject> {
  const manifest = readPackageJson(directory);
  const config = await readPrismaConfig(directory);
  const schema =
    (given === undefined ? undefined : relative(directory, given)) ??
    config.schema ??
    manifest.prisma?.schema ??
    standardSchema(directory);
  if (!existsSync(path.join(directory, schema))) {
    throw new UserError(
      `There is no Prisma schema at ${schema}. Name its file, or the folder of its files, with --schema.`,
    );
  }
  return {
    directory,
    name: slugOf(manifest.name ?? path.basename(directory)),
    schema,
    migrations: config.migrations ?? path.join(folderOf(schema), 'migrations'),
    sources: existsSync(path.join(directory, 'src')) ? 'src' : '.',
    importEnding: manifest.type === 'module' && !isBundled(directory) ? '.js' : '',
    dependencies: new Set([
      ...Object.keys(manifest.dependencies ?? {}),
      ...Object.keys(manifest.devDependencies ?? {}),
    ]),
  };
}

function readPackageJson(directory: string): PackageJson {
  const file = path.join(directory, 'package.json');
  if (!existsSync(file))
    throw new UserError(`There is no package.json in ${directory}: run this in the project's folder.`);
  return JSON.parse(readFileSync(file, 'utf8')) as PackageJson;
}

/** Prisma keeps migrations beside the schema: beside its file, or in the folder of its files' folder. */
const folderOf = (schema: string): string => path.dirname(schema);

/** `@acme/Shop.Api` is `shop-api`. */
const slugOf = (name: string): string =>
  name
    .replace(/^@[^/]*\//, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '') || 'app';

/** What prisma.config.ts says; nothing where there is none. @throws UserError when it cannot be loaded. */
async function readPrismaConfig(directory: string): Promise<{ schema?: string; migrations?: string }> {
  const file = ['prisma.config.ts', 'prisma.config.mts', 'prisma.config.js', 'prisma.config.mjs']
    .map((name) => path.join(directory, name))
    .find((candidate) => existsSync(candidate));
  if (file === undefined) return {};
  const { createJiti } = await import('jiti');
  const loaded = await createJiti(file)
    .import<{ schema?: unknown; migrations?: { path?: unknown } }>(file, { default: true })
    .catch((error: unknown) => {
      const [why] = (error instanceof Error ? error.message : String(error)).split('\n');
      throw new UserError(
        `${path.basename(file)} cannot be loaded: ${why}. If it wants a variable, set that one.`,
        { cause: error },
      );
    });
  return {
    ...(typeof loaded?.schema === 'string' ? { schema: relative(directory, loaded.schema) } : {}),
    ...(typeof loaded?.migrations?.path === 'string'
      ? { migrations: relative(directory, loaded.migrations.path) }
      : {}),
  };
}

const relative = (directory: string, file: string): string =>
  path.relative(directory, path.resolve(directory, file));

/** Whether imports are resolved by a bundler, which takes them without an ending. */
function isBundled(directory: string): boolean {
  const file = path.join(directory, 'tsconfig.json');
  return existsSync(file) && /"moduleResolution"\s*:\s*"bundler"/i.test(readFileSync(file, 'utf8'));
}
