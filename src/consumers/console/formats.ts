import { escapeControls } from './escapeControls';
import { prettyLines } from './pretty';
import type { FormatOptions, MessageView } from './view';

export const formats = ['pretty', 'json', 'raw'] as const;
export type Format = (typeof formats)[number];

/** A message as it is printed, with the line's end. */
export function format(view: MessageView, how: Format, options: FormatOptions): string {
  switch (how) {
    case 'pretty':
      return `${prettyLines(view, options).join('\n')}\n`;
    case 'json':
      return `${escapeControls(JSON.stringify(jsonOf(view, options)))}\n`;
    case 'raw':
      return `${options.terminal ? escapeControls(view.text ?? '') : (view.text ?? '')}\n`;
  }
}

/** The event as it is on the wire, with where it lies under `kafka`; what is no event under `value`, and why. */
function jsonOf({ kafka, event, problem, decoded, text }: MessageView, options: FormatOptions): unknown {
  const { topic, partition, offset, timestamp, key, headers } = kafka;
  const shown = options.headers || options.deadLetters ? { headers } : {};
  const where = { topic, partition, offset, timestamp, key, ...shown };
  if (event) return { ...(decoded as object), kafka: where };
  return { problem, value: text, kafka: where };
}
