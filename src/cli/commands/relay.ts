import { Command } from 'commander';
import { relayProgramVariables } from '../../relay/variables';
import type { Frame } from '../frame';
import { defaultsOf } from '../project';
import { variablesHelp } from '../variablesHelp';

/** `signalbox relay`. */
export async function relayCommand(frame: Frame): Promise<Command> {
  const defaults = await frame.project().then(
    ({ config }) => defaultsOf(config),
    () => undefined,
  );
  return new Command('relay')
    .description(
      'Publishes the events of the outbox to Kafka, in order for each aggregate. Several relays share the work.',
    )
    .allowExcessArguments(false)
    .addHelpText('after', () => variablesHelp(relayProgramVariables, defaults))
    .action(() =>
      frame.serve('relay', async (logger, { config: { catalogue }, environment }) => {
        const { runRelay } = await import('../../relay/program.js');
        return runRelay({ catalogue, environment, logger });
      }),
    );
}
