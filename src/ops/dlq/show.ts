import { escapeControls } from '../../consumers/console/escapeControls';
import type { ReceivedMessage } from '../../kafka/messages/readMessage';
import { UserError } from '../../shared/lifecycle';
import type { Tools } from '../command';
import { withDatabase } from '../database';
import { exitCodes } from '../exitCodes';
import { withKafka } from '../kafka';
import { report } from '../output/report';
import { letterData } from './describe';
import { type FoundLetter, readLetters } from './letters';
import { selectionOf } from './selection';

export interface ShowOptions {
  readonly value?: boolean;
  readonly json?: boolean;
}

/**
 * `ops dlq show`: what is known of a dead letter. Its value holds a patient's data, and its original headers may be
 * anybody's, so both are shown only to those who ask for them.
 */
export function showLetter(
  tools: Tools,
  name: string,
  { value = false, json = false }: ShowOptions,
): Promise<number> {
  return withKafka(tools, (kafkaTools) => {
    const selection = selectionOf([name], {}, kafkaTools.config);
    return withDatabase(tools, async (database) => {
      const found: Record<string, unknown>[] = [];
      await readLetters(tools, kafkaTools, database, {
        selection,
        settled: true,
        onLetter: (letter, message) => void found.push(dataOf(letter, message, value)),
      });
      if (found.length === 0) throw new UserError(`There is no dead letter ${name}, or it has expired.`);
      report(tools.stdout, json, { data: { letters: found }, text: found.map(textOf).join('\n\n') });
      return exitCodes.ok;
    });
  });
}

function dataOf(letter: FoundLetter, message: ReceivedMessage, value: boolean): Record<string, unknown> {
  const names = Object.keys(message.headers);
  const headers = value
    ? Object.fromEntries(names.map((name) => [name, String(message.headers[name] ?? '')]))
    : names;
  return {
    ...letterData(letter),
    value_bytes: message.value?.length ?? 0,
    headers,
    ...(value ? { value: message.value?.toString() ?? null } : {}),
  };
}

function textOf(data: Record<string, unknown>): string {
  const entries = Object.entries(data).filter(([, value]) => value !== null);
  const width = Math.max(...entries.map(([name]) => name.length));
  const lines = entries.map(([name, value]) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return `${name.padEnd(width)}  ${escapeControls(text)}`;
  });
  return lines.join('\n');
}
