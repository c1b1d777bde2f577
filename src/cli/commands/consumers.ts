import { Command } from 'commander';
import type { AnyConsumer } from '../../consumers/program';
import { UserError } from '../../shared/lifecycle';
import type { AnyConfig } from '../config/defineConfig';
import type { Frame } from '../frame';

/** `signalbox consumers`. Its help lists those of the configuration, if that can be loaded. */
export async function consumersCommand(frame: Frame): Promise<Command> {
  const { config } = await frame.project().catch(() => ({ config: undefined }));
  return new Command('consumers')
    .description('Runs consumers, all of them unless some are named. Environment variables configure it.')
    .argument('[name...]', 'which to run')
    .addHelpText('after', listOf(config?.consumers ?? []))
    .action((names: string[]) =>
      frame.serve('consumers', async (logger, project) => {
        const { runConsumers } = await import('../../consumers/program.js');
        const { catalogue, variables = {}, createClient } = project.config;
        const consumers = findConsumers(consumersOf(project.config), names);
        if (createClient === undefined) {
          throw new UserError(
            'The configuration has consumers but no client for them: add createClient: (options) => … to signalbox.config.ts.',
          );
        }
        const { environment } = project;
        return runConsumers({ catalogue, consumers, createClient, variables, environment, logger });
      }),
    );
}

const listOf = (consumers: readonly AnyConsumer[]): string =>
  ['', 'Consumers:', ...consumers.map(({ name, summary }) => `  ${name.padEnd(24)}${summary}`)].join('\n');

function consumersOf({ consumers = [] }: AnyConfig): readonly AnyConsumer[] {
  if (consumers.length > 0) return consumers;
  throw new UserError('The configuration has no consumers: add consumers: […] to signalbox.config.ts.');
}

/** The consumers of these names; all of them for none. @throws UserError that names what there is. */
export function findConsumers<Each extends { readonly name: string }>(
  consumers: readonly Each[],
  names: readonly string[],
): readonly Each[] {
  const known = consumers.map(({ name }) => name);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new UserError(`There is no consumer "${unknown.join('", "')}". There are: ${known.join(', ')}.`);
  }
  return consumers.filter(({ name }) => names.length === 0 || names.includes(name));
}
