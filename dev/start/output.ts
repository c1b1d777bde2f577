/**
 * One log of all parts. Each line carries the name of the part it comes from. On a terminal the names are coloured and
 * JSON lines are made readable; elsewhere (a file, a pipe) every line is passed on as it was written.
 */
import { prettyFactory } from 'pino-pretty';

export interface OutputOptions {
  write: (text: string) => void;
  /** Whether JSON lines become short human lines. */
  pretty: boolean;
  colour: boolean;
  /** The names of all parts, which are padded to the same width. */
  names: readonly string[];
}

export interface Output {
  readonly pretty: boolean;
  /** A line as a part has written it, made readable where people read. */
  readable(line: string): string;
  /** Prints what a part has written, line by line. */
  line(name: string, text: string): void;
  /** Prints something of our own, without a name before it. */
  plain(text: string): void;
}

/** Cyan, yellow, green, magenta and blue, some of them bright: readable on light and dark ground; red is for errors. */
const palette = [95, 33, 32, 35, 34, 96, 36];

export function createOutput({ write, pretty, colour, names }: OutputOptions): Output {
  const width = Math.max(...names.map((name) => name.length));
  const prettify = prettyFactory({
    colorize: colour,
    singleLine: true,
    ignore: 'program',
    translateTime: 'SYS:HH:MM:ss',
  });
  const prefixOf = (name: string): string => {
    const text = `${name.padEnd(width)} |`;
    const code = palette[Math.max(0, names.indexOf(name)) % palette.length];
    return colour ? `\u001b[${code}m${text}\u001b[39m` : text;
  };
  const readable = (line: string): string => (pretty && line.startsWith('{') ? prettify(line).trim() : line);
  return {
    pretty,
    readable,
    line(name, text) {
      for (const line of readable(text).split('\n')) write(`${prefixOf(name)} ${line}`.trimEnd() + '\n');
    },
    plain: (text) => write(`${text}\n`),
  };
}

/** Whether a stream wants colours; https://no-color.org says that NO_COLOR counts when it is not empty. */
export function wantsColour(stream: { isTTY?: boolean }, environment: NodeJS.ProcessEnv): boolean {
  return stream.isTTY === true && !environment['NO_COLOR'] && environment['TERM'] !== 'dumb';
}
