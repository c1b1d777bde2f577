/** What stands in a cell of the scorecard: proved by a test, refused (and that proved), or absent. */
export type Verdict =
  | { readonly kind: 'yes' | 'refused'; readonly file: string; readonly test: string; readonly note?: string }
  | { readonly kind: 'absent'; readonly note: string };

/** One line: what a user may ask for, and what each engine does. `both` where one test runs with either. */
export interface Capability {
  readonly what: string;
  readonly middleware: Verdict;
  readonly trigger: Verdict;
}

/** Capabilities that belong together. */
export interface Chapter {
  readonly title: string;
  readonly capabilities: readonly Capability[];
}

const fileOf = (name: string): string =>
  `test/${/^(unit|e2e)\//.test(name) ? '' : 'integration/'}${name}.test.ts`;

/** It works; the test of this name in this file goes red when it does not. */
export const yes = (file: string, test: string, note?: string): Verdict => ({
  kind: 'yes',
  file: fileOf(file),
  test,
  ...(note === undefined ? {} : { note }),
});

/** It is refused with an error that names the way out. */
export const refused = (file: string, test: string, note?: string): Verdict => ({
  kind: 'refused',
  file: fileOf(file),
  test,
  ...(note === undefined ? {} : { note }),
});

export const absent = (note: string): Verdict => ({ kind: 'absent', note });

export const both = (what: string, verdict: Verdict): Capability => ({
  what,
  middleware: verdict,
  trigger: verdict,
});

export const each = (what: string, middleware: Verdict, trigger: Verdict): Capability => ({
  what,
  middleware,
  trigger,
});
