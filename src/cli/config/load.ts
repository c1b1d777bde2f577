import { existsSync } from 'node:fs';
import path from 'node:path';
import { kafkaVariables } from '../../shared/config/variables';
import { UserError } from '../../shared/lifecycle';
import type { AnyConfig } from './defineConfig';

const names = ['ts', 'mts', 'cts', 'js', 'mjs', 'cjs'].map((extension) => `signalbox.config.${extension}`);

/**
 * Loads a project's configuration: TypeScript as it is, without a build.
 * @param directory Where it is looked for, unless `file` names it.
 * @throws UserError when there is none, when it cannot be loaded or when it is not the result of `defineConfig`.
 */
export async function loadConfigFile(directory: string, file: string | undefined): Promise<AnyConfig> {
  const found = file === undefined ? find(directory) : path.resolve(directory, file);
  const loaded = await load(found);
  if (!isConfig(loaded)) {
    throw new UserError(
      `${found} does not export a configuration: its default export must be defineConfig({ name, catalogue, … }).`,
    );
  }
  const { success: fits, error } = kafkaVariables.KAFKA_TOPIC_PREFIX.safeParse(loaded.name);
  if (!fits)
    throw new UserError(
      `${found}: name "${loaded.name}" cannot begin the names of topics: ${error.issues[0]?.message}.`,
    );
  return loaded;
}

function find(directory: string): string {
  const found = names.map((name) => path.join(directory, name)).find((file) => existsSync(file));
  if (found !== undefined) return found;
  throw new UserError(
    `There is no signalbox.config.ts in ${directory}. Run this in the project's folder, name the file with --config, or write one with "npx signalbox init".`,
  );
}

async function load(file: string): Promise<unknown> {
  if (!existsSync(file)) throw new UserError(`The configuration ${file} does not exist.`);
  try {
    return await importDefault(file);
  } catch (error) {
    if (error instanceof UserError) throw error;
    const { message } = error instanceof Error ? error : new Error(String(error));
    throw new UserError(`${file} cannot be loaded: ${firstLine(message)}`, { cause: error });
  }
}

/** What Node can require is required, which is fastest; jiti loads TypeScript, and ECMAScript modules on any Node. */
async function importDefault(file: string): Promise<unknown> {
  try {
    if (/\.c?js$/.test(file)) return defaultOf(require(file));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_REQUIRE_ESM') throw error;
  }
  const { createJiti } = await import('jiti');
  return createJiti(file).import(file, { default: true });
}

const firstLine = (text: string): string => text.split('\n', 1)[0] ?? '';

function defaultOf(module: unknown): unknown {
  return typeof module === 'object' && module !== null && 'default' in module ? module.default : module;
}

function isConfig(value: unknown): value is AnyConfig {
  if (typeof value !== 'object' || value === null) return false;
  const { name, catalogue } = value as { name?: unknown; catalogue?: { aggregates?: unknown } };
  return typeof name === 'string' && name !== '' && Array.isArray(catalogue?.aggregates);
}
