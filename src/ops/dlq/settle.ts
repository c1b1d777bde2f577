/* What replay and discard have in common: going through the selected letters, one transaction for each. */
import type { Pool, PoolClient } from 'pg';
import type { ReceivedMessage } from '../../kafka/messages/readMessage';
import { UserError } from '../../shared/lifecycle';
import type { Tools } from '../command';
import { withDatabase } from '../database';
import { exitCodes } from '../exitCodes';
import { type KafkaTools, withKafka } from '../kafka';
import { counted } from '../output/counted';
import { report } from '../output/report';
import { inTransaction } from '../../shared/inTransaction';
import { letterData, lettersTable, placeOf } from './describe';
import { type FoundLetter, readLetters } from './letters';
import { type FilterOptions, type Selection, selectionOf } from './selection';
import { settleLetter, type Settlement } from './settlements';

export interface SettleOptions extends FilterOptions {
  readonly all?: boolean;
  readonly execute?: boolean;
  readonly json?: boolean;
}

export interface Settling {
  readonly action: Settlement['action'];
  /** Letters that were settled before, too. */
  readonly again: boolean;
  /** What is done to a letter within the transaction that notes it as settled; nothing with a dry run. */
  readonly perform: (client: PoolClient, letter: FoundLetter, message: ReceivedMessage) => Promise<void>;
  /** Called for each letter of a dry run. */
  readonly preview?: (client: Pool, letter: FoundLetter, message: ReceivedMessage) => Promise<void>;
  /** Why a letter could not be settled, if that is its own fault; undefined ends the command with the error. */
  readonly faultOf: (error: unknown) => string | undefined;
  /** Added to the report. */
  readonly extra?: () => { readonly data: object; readonly text: readonly string[] };
}

interface Outcome {
  readonly done: FoundLetter[];
  readonly failed: { readonly letter: FoundLetter; readonly reason: string }[];
}

/** Settles the selected letters, or says which those are. Exit code 1 when one of them could not be settled. */
export function settleLetters(
  tools: Tools,
  names: readonly string[],
  options: SettleOptions,
  settlingOf: (kafkaTools: KafkaTools) => Settling,
): Promise<number> {
  return withKafka(tools, (kafkaTools) => {
    const selection = chosen(names, options, kafkaTools);
    const settling = settlingOf(kafkaTools);
    return withDatabase(tools, async (pool) => {
      const outcome: Outcome = { done: [], failed: [] };
      await readLetters(tools, kafkaTools, pool, {
        selection,
        settled: settling.again,
        onLetter: (letter, message) => settle(pool, letter, message, options, settling, outcome),
      }).catch((error: unknown) => {
        throw interrupted(error, outcome, settling);
      });
      report(tools.stdout, options.json ?? false, {
        data: dataOf(outcome, options, settling),
        text: textOf(outcome, options, settling),
      });
      return outcome.failed.length > 0 ? exitCodes.failed : exitCodes.ok;
    });
  });
}

/** @throws UserError when nothing is said: all of them must be asked for. */
function chosen(names: readonly string[], options: SettleOptions, { config }: KafkaTools): Selection {
  const { all = false, group, type, error, since } = options;
  if (names.length === 0 && !all && [group, type, error, since].every((filter) => filter === undefined)) {
    throw new UserError(
      'Say which dead letters: name them as 0:42 or by event id, filter by --group, --type, --error or --since, or give --all.',
    );
  }
  return selectionOf(names, options, config);
}

async function settle(
  pool: Pool,
  letter: FoundLetter,
  message: ReceivedMessage,
  { execute = false }: SettleOptions,
  { action, again, perform, preview, faultOf }: Settling,
  { done, failed }: Outcome,
): Promise<void> {
  try {
    if (execute) {
      // Noted first: whoever settles the same letter at this moment waits here, and then finds it settled.
      const settled = await inTransaction(pool, async (client) => {
        const ours = await settleLetter(client, letter, action, again);
        if (ours) await perform(client, letter, message);
        return ours;
      });
      if (settled) done.push({ ...letter, settlement: { action, settledAt: new Date() } });
    } else {
      await preview?.(pool, letter, message);
      done.push(letter);
    }
  } catch (error) {
    const reason = faultOf(error);
    if (reason === undefined) throw error;
    failed.push({ letter, reason });
  }
}

/** What was done by then is done, and is not to be lost with the error. */
function interrupted(error: unknown, { done }: Outcome, { action }: Settling): unknown {
  if (done.length === 0 || !(error instanceof Error)) return error;
  return new UserError(
    `${counted(done.length, 'dead letter')} ${done.length === 1 ? 'was' : 'were'} ${action}, then it failed: ${error.message}. The others are as they were; give the command again.`,
    { cause: error },
  );
}

function dataOf({ done, failed }: Outcome, { execute = false }: SettleOptions, settling: Settling): object {
  return {
    executed: execute,
    action: settling.action,
    letters: done.map(letterData),
    failed: failed.map(({ letter, reason }) => ({ ...letterData(letter), reason })),
    ...settling.extra?.().data,
  };
}

function textOf({ done, failed }: Outcome, { execute = false }: SettleOptions, settling: Settling): string {
  const { action } = settling;
  const end = execute
    ? `${counted(done.length, 'dead letter')} ${done.length === 1 ? 'was' : 'were'} ${action}.`
    : `${counted(done.length, 'dead letter')} would be ${action}. ${done.length > 0 ? 'Nothing was changed; add --execute to do it.' : ''}`;
  return [
    ...(done.length > 0 ? [lettersTable(done)] : []),
    ...failed.map(({ letter, reason }) => `${placeOf(letter)} cannot be ${action}: ${reason}.`),
    ...(settling.extra?.().text ?? []),
    end.trimEnd(),
  ].join('\n');
}
