import { escapeControls } from './escapeControls';
import type { FormatOptions, MessageView } from './view';

const codes = { dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39], cyan: [36, 39] } as const;
type Paint = (style: keyof typeof codes, text: string) => string;

const longestValue = 60;
const typeWidth = 23;

/** One line: when, what, of which key, and what changed or what it holds; the headers below it, if asked for. */
export function prettyLines(view: MessageView, { colour, headers, deadLetters }: FormatOptions): string[] {
  const paint: Paint = (style, text) => {
    const [on, off] = codes[style];
    return colour ? `\u001b[${on}m${text}\u001b[${off}m` : text;
  };
  const line = deadLetters ? deadLetterLine(view, paint) : messageLine(view, paint);
  const below = Object.entries(view.kafka.headers).map(([name, value]) =>
    paint('dim', `    ${escapeControls(`${name}: ${String(value)}`)}`),
  );
  return headers ? [line, ...below] : [line];
}

function messageLine(view: MessageView, paint: Paint): string {
  const { kafka, event, problem, text } = view;
  const key = paint('cyan', escapeControls(kafka.key ?? '-'));
  if (!event) {
    const topic = paint('red', escapeControls(kafka.topic).padEnd(typeWidth));
    const reason = paint('red', `not an event (${escapeControls(problem ?? 'unknown')}):`);
    return [paint('dim', kafka.timestamp), topic, key, reason, shorten(text ?? 'no value', 500)].join(' ');
  }
  const type = paint(colourOf(event.event_type), event.event_type.padEnd(typeWidth));
  const when = paint('dim', escapeControls(event.timestamp));
  return [when, type, key, summarise(event.data, kafka.key)].join(' ').trimEnd();
}

function deadLetterLine({ kafka, event }: MessageView, paint: Paint): string {
  const header = (name: string): string => escapeControls(String(kafka.headers[`dlq.${name}`] ?? '?'));
  const what = event?.event_type ?? header('original.topic');
  return [
    paint('dim', header('failed.at')),
    paint('red', what.padEnd(typeWidth)),
    paint('cyan', escapeControls(kafka.key ?? '-')),
    `${header('consumer.group')} gave up after ${header('attempts')}:`,
    paint('yellow', `${header('error.class')}: ${header('error.message')}`),
    paint(
      'dim',
      `(${header('original.topic')}/${header('original.partition')} @ ${header('original.offset')})`,
    ),
  ].join(' ');
}

function colourOf(eventType: string): 'red' | 'green' | 'yellow' {
  if (/\.(deleted|cancelled)$/.test(eventType)) return 'red';
  return /\.(created|booked)$/.test(eventType) ? 'green' : 'yellow';
}

/** `name was → is` for each field with a previous value; else the fields that changed; else all of them. */
function summarise(data: object, key: string | null): string {
  const fields = Object.entries(data).filter(([, value]) => value !== key);
  const previous = new Map(
    fields.flatMap(([name, value]) =>
      name.startsWith('previous_') ? [[name.slice(9), value] as const] : [],
    ),
  );
  const changed = new Set([...previous.keys(), ...changedFields(data)]);
  const values = new Map(fields);
  const names =
    changed.size > 0
      ? [...changed]
      : fields.map(([name]) => name).filter((name) => name !== 'changed_fields');
  return names
    .map((name) => {
      if (!values.has(name)) return escapeControls(name);
      const was = previous.has(name) ? `${short(previous.get(name))} → ` : '=';
      return `${escapeControls(name)}${was === '=' ? '=' : ` ${was}`}${short(values.get(name))}`;
    })
    .join('  ');
}

function changedFields(data: object): string[] {
  const names: unknown = (data as { changed_fields?: unknown }).changed_fields;
  return Array.isArray(names) ? names.map(String) : [];
}

function short(value: unknown): string {
  return shorten(typeof value === 'string' ? value : JSON.stringify(value), longestValue);
}

function shorten(text: string, longest: number): string {
  return escapeControls(text.length > longest ? `${text.slice(0, longest)}…` : text);
}
