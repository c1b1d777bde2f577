import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Environment } from '../shared/config/load';
import type { AnyConfig } from './config/defineConfig';

/** A project with its configuration, and where its files are. */
export interface Project {
  readonly config: AnyConfig;
  /** The Prisma schema: its file, or the folder of its files. */
  readonly schema: string;
  /** The folder of migrations. */
  readonly migrations: string;
  /** The variables that are set, and what the configuration says where they are not. */
  readonly environment: Environment;
}

/** The project of a folder. Paths of the configuration are meant from there, wherever its file is. */
export function projectOf(directory: string, config: AnyConfig, environment: Environment): Project {
  return {
    config,
    schema: path.resolve(directory, config.schema ?? standardSchema(directory)),
    migrations: path.resolve(directory, config.migrations ?? 'prisma/migrations'),
    environment: withDefaults(environment, config),
  };
}

/** Where Prisma looks for a schema: one file, or several in a folder. */
export function standardSchema(directory: string): string {
  const first = 'prisma/schema.prisma';
  const places = [first, 'schema.prisma', 'prisma/schema'];
  return places.find((place) => existsSync(path.join(directory, place))) ?? first;
}

/** What a configuration says for variables that are not set. */
export const defaultsOf = ({ name, capture = 'trigger' }: Pick<AnyConfig, 'name' | 'capture'>) => ({
  KAFKA_TOPIC_PREFIX: name,
  CONSUMER_GROUP_PREFIX: name,
  CONSUMERS_SERVICE_NAME: `${name}-consumers`,
  OUTBOX_CAPTURE: capture,
});

/** An empty variable counts as unset. */
function withDefaults(environment: Environment, config: AnyConfig): Environment {
  const set = Object.entries(environment).filter(([, value]) => value !== undefined && value !== '');
  return { ...defaultsOf(config), ...Object.fromEntries(set) };
}
