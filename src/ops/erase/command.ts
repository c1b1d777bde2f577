import { Command } from 'commander';
import type { Run } from '../command';
import { erasePatient, type EraseOptions } from './erase';

/** `ops erase …`: what a deletion leaves behind. */
export function eraseCommand(run: Run): Command {
  const erase = new Command('erase').description('erase what is left of a deleted person');
  erase
    .command('patient')
    .description(
      'overwrite name, address and phone in outbox, audit log and postponed events; a dry run unless --execute',
    )
    .argument('<id>', 'the id of a patient who has been deleted')
    .option('--reason <text>', 'why, for the journal; name nobody in it')
    .option('--by <who>', 'who erases, for the journal; the name of the operating system account by default')
    .option('--execute', 'do it; without it, only say how many rows would be changed')
    .option('--json', 'one line of JSON')
    .action((id: string, options: EraseOptions) => run((tools) => erasePatient(tools, id, options)));
  return erase;
}
