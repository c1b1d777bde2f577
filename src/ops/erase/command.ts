import { Command } from 'commander';
import type { Run } from '../command';
import { eraseSubject, type EraseOptions } from './erase';
import { UserError } from '../../shared/lifecycle';

/** `ops erase …`: what a deletion leaves behind. */
export function eraseCommand(run: Run): Command {
  return new Command('erase')
    .description('overwrite what is left of a deleted person in the database; a dry run unless --execute')
    .argument('<type>', 'whose data: one of those that the configuration lists under erasure, e.g. patient')
    .argument('<id>', 'the id of one who has been deleted')
    .option('--reason <text>', 'why, for the journal; name no person in it')
    .option('--by <who>', 'who erases, for the journal; the name of the operating system account by default')
    .option('--execute', 'do it; without it, only say how many rows would be changed')
    .option('--json', 'one line of JSON')
    .action((type: string, id: string, options: EraseOptions) =>
      run(async (tools) => {
        const kind = tools.erasure.find((each) => each.type === type);
        if (kind === undefined)
          throw new UserError(
            unknownType(
              type,
              tools.erasure.map((each) => each.type),
            ),
          );
        return eraseSubject(tools, kind, id, options);
      }),
    );
}

const unknownType = (type: string, known: readonly string[]): string =>
  known.length === 0
    ? 'The configuration says of no subject how its data are erased: add erasure: […] to signalbox.config.ts.'
    : `There is nothing to erase of a "${type}". The configuration knows: ${known.join(', ')}.`;
