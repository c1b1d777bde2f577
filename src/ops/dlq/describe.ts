/* Dead letters as they are printed. */
import { escapeControls } from '../../consumers/console/escapeControls';
import { table } from '../output/table';
import type { FoundLetter } from './letters';

/** A letter as JSON: what its headers say, nothing of its value. */
export function letterData(letter: FoundLetter): Record<string, unknown> {
  const { settlement, original } = letter;
  return {
    letter: placeOf(letter),
    event_id: letter.eventId ?? null,
    event_type: letter.eventType ?? null,
    key: letter.key,
    group: letter.group ?? null,
    error_class: letter.errorClass ?? null,
    error_message: letter.reason ?? null,
    attempts: letter.attempts ?? null,
    failed_at: letter.failedAt ?? null,
    written_at: letter.writtenAt.toISOString(),
    original: original ?? null,
    omitted: letter.omitted ?? null,
    state: settlement?.action ?? 'open',
    settled_at: settlement?.settledAt.toISOString() ?? null,
  };
}

/** How a letter is named on the command line. */
export function placeOf({ partition, offset }: FoundLetter): string {
  return `${partition}:${offset}`;
}

/** One line for each letter. Headers may be anybody's, so a terminal must not obey them. */
export function lettersTable(letters: readonly FoundLetter[]): string {
  const shown = (text: string | undefined): string => escapeControls(text ?? '-');
  return table<FoundLetter>(
    [
      { title: 'LETTER', value: placeOf },
      { title: 'FAILED AT', value: ({ failedAt, writtenAt }) => shown(failedAt ?? writtenAt.toISOString()) },
      { title: 'GROUP', value: ({ group }) => shown(group) },
      { title: 'TYPE', value: ({ eventType }) => shown(eventType) },
      { title: 'EVENT', value: ({ eventId }) => shown(eventId) },
      { title: 'ERROR', value: ({ errorClass }) => shown(errorClass) },
      { title: 'STATE', value: ({ settlement }) => settlement?.action ?? 'open' },
      { title: 'REASON', value: ({ reason }) => shown(reason).slice(0, 80) },
    ],
    letters,
  );
}
