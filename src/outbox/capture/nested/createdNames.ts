import type { CapturedModel } from '../model';
import type { Args } from '../selection';
import { type Entry, textOf } from './entries';
import { flattened, type Position } from './position';

/**
 * Names of rows that the write itself creates. A filter with such a name must not be narrowed to the rows that were
 * there before; and no row of somebody else's can come under that name meanwhile, or the creation would fail.
 */
export class CreatedNames {
  readonly #inserted: readonly (readonly [CapturedModel, Args])[];
  readonly #createdFirst = new Set<string>();

  constructor(positions: readonly Position[]) {
    this.#inserted = flattened(positions).flatMap(({ model, entries }) =>
      entries
        .filter(({ inserts }) => inserts)
        .flatMap(({ data }) => data.map(({ value }) => [model, value] as const)),
    );
  }

  /** To be asked for each filter in the order of the arguments: the first `connectOrCreate` of a name creates it. */
  includes(model: CapturedModel, { operation, data }: Entry, where: Args): boolean {
    if (this.#inserted.some(([inserted, value]) => inserted === model && agrees(value, where))) return true;
    const name = `${model.name} ${textOf(where)}`;
    if (this.#createdFirst.has(name)) return true;
    if (operation === 'connectOrCreate' && data.every(({ value }) => agrees(value, where)))
      this.#createdFirst.add(name);
    return false;
  }
}

const agrees = (value: Args, where: Args): boolean =>
  Object.entries(where).every(([field, wanted]) => value[field] === wanted);
