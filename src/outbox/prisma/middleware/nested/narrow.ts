import type { CapturedModel } from '../model';
import { onlyKeys } from '../request';
import type { Args } from '../selection';

/** A filter in the arguments of a write that may find these rows and no others. */
export interface Narrowing {
  readonly path: readonly string[];
  readonly model: CapturedModel;
  readonly keys: readonly unknown[];
}

/** The arguments with all filters narrowed. */
export function narrow(args: Args, narrowings: readonly Narrowing[]): Args {
  return narrowings.reduce<Args>(
    (narrowed, { path, model, keys }) =>
      changeAt(narrowed, path, (where) => onlyKeys(model, keys, { where })['where']) as Args,
    args,
  );
}

function changeAt(value: unknown, path: readonly string[], change: (value: unknown) => unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return change(value);
  if (Array.isArray(value)) {
    return value.map((each: unknown, nr) => (String(nr) === step ? changeAt(each, rest, change) : each));
  }
  return { ...(value as Args), [step]: changeAt((value as Args)[step], rest, change) };
}
