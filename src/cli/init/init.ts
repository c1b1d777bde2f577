import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { readSchemaFiles } from '../../outbox/prisma/schema/files';
import { UserError } from '../../shared/lifecycle';
import { type CapturableModel, type Models, readModels } from './models';
import { type PrismaProject, readPrismaProject } from './prismaProject';
import { cataloguePath, renderAdvice, renderConfig } from './renderConfig';
import { renderAggregate, renderCatalogue } from './renderCatalogue';

export interface InitOptions {
  readonly schema?: string;
  /** Names of the models to capture; all that can be, where it is not said. */
  readonly models?: readonly string[] | undefined;
}

/** What init is going to do: nothing is written yet. */
export interface Plan {
  readonly project: PrismaProject;
  readonly models: Models;
  /** Files that are not there yet, by their place in the project. */
  readonly files: ReadonlyMap<string, string>;
  readonly advice: string;
}

const configFile = 'signalbox.config.ts';

/** Looks at a project and plans what to write into it. @throws UserError when something is in the way. */
export async function planInit(directory: string, { schema, models }: InitOptions): Promise<Plan> {
  const project = await readPrismaProject(directory, schema);
  const found = readModels(await readSchemaFiles(path.resolve(directory, project.schema)));
  const chosen = choose(found, models);
  const catalogue = cataloguePath(project);
  const is = (file: string): boolean => existsSync(path.join(directory, file));
  const files = new Map<string, string>();
  // A configuration that is there names its own catalogue.
  if (!is(configFile)) {
    if (!is(catalogue)) files.set(catalogue, renderCatalogue(chosen));
    files.set(configFile, renderConfig(project, catalogue));
  }
  return { project, models: found, files, advice: renderAdvice(project) };
}

function choose(
  { capturable, others }: Models,
  names: readonly string[] | undefined,
): readonly CapturableModel[] {
  if (capturable.length === 0) throw new UserError('The Prisma schema has no model that can be captured.');
  if (names === undefined) return capturable;
  for (const name of names) {
    const other = others.find((each) => each.name === name);
    if (other) throw new UserError(`The model ${name} cannot be captured: ${other.reason}.`);
    if (!capturable.some((each) => each.name === name))
      throw new UserError(
        `The Prisma schema has no model ${name}. It has: ${capturable.map((each) => each.name).join(', ')}.`,
      );
  }
  return capturable.filter(({ name }) => names.includes(name));
}

/** Writes the plan's files. What exists stays as it is. */
export function writeFiles({ project, files }: Plan): void {
  for (const [file, text] of files) {
    const place = path.join(project.directory, file);
    mkdirSync(path.dirname(place), { recursive: true });
    writeFileSync(place, text, { flag: 'wx' });
  }
}

/** Models that can be captured and are not in a catalogue, with the code that would declare them. */
export function missingModels(
  { models }: Plan,
  captured: readonly string[],
): { names: string[]; code: string } {
  const missing = models.capturable.filter(({ name }) => !captured.includes(name));
  return { names: missing.map(({ name }) => name), code: missing.map(renderAggregate).join('\n') };
}
