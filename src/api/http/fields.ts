import { z } from 'zod';

/*
 * Kinds of fields that both resources use. What Postgres cannot store (NUL) and what JSON cannot carry faithfully
 * (half a surrogate pair) is refused here, where the caller can be told which field it was.
 */

// Refinements rather than patterns: the OpenAPI generator garbles a pattern that has flags.
const oneLine = /^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]*$/u;
// What must not occur, for a repeated alternative would take a place on the stack for each character.
const notInProse = /\p{Cs}|[^\P{Cc}\n\r\t]/u;

/** Invisible characters that join others or choose their form: in emoji, in Persian, Indic and Mongolian words. */
const joiners = /\p{Join_Control}|\p{Variation_Selector}|[\u{E0020}-\u{E007F}]/u;
const invisible = /\p{Default_Ignorable_Code_Point}/gu;
const blanks = /[\p{Zs}\u2800]+/gu;
const visible = /[^\p{Default_Ignorable_Code_Point} ]/u;

/**
 * A line as it is stored: letters composed (NFC), one space for each run of blanks, none around it, and nothing
 * invisible but joiners. The database's function clean_line says the same, and checks what other programs write.
 */
export function cleanLine(text: string): string {
  return text
    .replaceAll(invisible, (character) => (joiners.test(character) ? character : ''))
    .replaceAll(blanks, ' ')
    .normalize('NFC')
    .trim();
}

/** One line of text, stored as `cleanLine` makes it. */
export function line(maximum: number) {
  return z
    .string()
    .overwrite(cleanLine)
    .min(1)
    .max(maximum)
    .refine((text) => oneLine.test(text), 'must be one line of text without control characters')
    .refine((text) => visible.test(text), 'must have a character that can be seen');
}

/** Text that may have several lines. */
export function prose(maximum: number) {
  return z
    .string()
    .max(maximum)
    .refine(
      (text) => !notInProse.test(text),
      'must be text without control characters other than line breaks and tabs',
    );
}

const earliestTime = Date.UTC(1900, 0, 1);
const latestTime = Date.UTC(2200, 0, 1);

/** An instant, ISO 8601 with an offset; kept to the millisecond. */
export const instant = z.iso
  .datetime({ offset: true })
  .transform((text) => new Date(text))
  .refine((time) => time.getTime() >= earliestTime && time.getTime() < latestTime, {
    message: 'must be in the years 1900 to 2199',
  });

/** A patch that names no field is most likely a mistake; asked only when nothing else is wrong. */
export const namesSomething = (patch: object): boolean => Object.keys(patch).length > 0;
export const nothingNamed = {
  message: 'The body must name at least one field',
  when: ({ issues }: { issues: unknown[] }) => issues.length === 0,
};
