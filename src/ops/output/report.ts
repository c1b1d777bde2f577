import type { Writable } from 'node:stream';

export interface Report {
  /** For programs: written as one line of JSON. */
  readonly data: unknown;
  /** For people: one or several lines, without the last line's end. */
  readonly text: string;
}

/** Writes a command's result, in the form that was asked for. */
export function report(stdout: Writable, json: boolean, { data, text }: Report): void {
  stdout.write(`${json ? JSON.stringify(data) : text}\n`);
}
