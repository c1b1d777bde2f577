import type { Tools } from '../command';
import { withDatabase } from '../database';
import { exitCodes } from '../exitCodes';
import { withKafka } from '../kafka';
import { report } from '../output/report';
import { lettersTable, letterData } from './describe';
import { type FoundLetter, readLetters } from './letters';
import { type FilterOptions, selectionOf } from './selection';

export interface ListOptions extends FilterOptions {
  readonly all?: boolean;
  readonly json?: boolean;
}

/** `ops dlq list`: the dead letters that are still to be dealt with, or all of them. */
export function listLetters(tools: Tools, options: ListOptions): Promise<number> {
  const { all = false, json = false } = options;
  return withKafka(tools, (kafkaTools) => {
    const selection = selectionOf([], options, kafkaTools.config);
    return withDatabase(tools, async (database) => {
      const letters: FoundLetter[] = [];
      await readLetters(tools, kafkaTools, database, {
        selection,
        settled: all,
        onLetter: (letter) => void letters.push(letter),
      });
      letters.sort((a, b) => a.writtenAt.getTime() - b.writtenAt.getTime());
      const open = letters.filter(({ settlement }) => !settlement).length;
      report(tools.stdout, json, {
        data: { open, letters: letters.map(letterData) },
        text:
          letters.length === 0
            ? `There are no ${all ? '' : 'open '}dead letters that fit.`
            : `${lettersTable(letters)}\n${open} open`,
      });
      return exitCodes.ok;
    });
  });
}
