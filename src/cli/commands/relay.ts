import { Command } from 'commander';
import { relayProgramVariables } from '../../relay/variables';
import type { Frame } from '../frame';
import { variablesHelp } from '../variablesHelp';

/** `signalbox relay`. */
export function relayCommand(frame: Frame): Command {
  return new Command('relay')
    .description(
      'Publishes the events of the outbox to Kafka, in order for each aggregate. Several relays share the work.',
    )
    .allowExcessArguments(false)
    .addHelpText('after', () => variablesHelp(relayProgramVariables))
    .action(() =>
      frame.serve('relay', async (logger, { config: { catalogue }, environment }) => {
        const { runRelay } = await import('../../relay/program.js');
        return runRelay({ catalogue, environment, logger });
      }),
    );
}
