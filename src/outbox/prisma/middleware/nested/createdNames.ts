import { CaptureError } from '../../../captureError';
import type { CapturedModel } from '../model';
import type { Args } from '../selection';
import { type Data, type Entry, textOf } from './entries';
import { flattened, type Position } from './position';

interface Creation {
  readonly model: CapturedModel;
  readonly entry: Entry;
  readonly data: Data;
}

/**
 * Names of rows that the write itself creates. A filter with such a name must not be narrowed to the rows that were
 * there before; and no row of somebody else's can come under that name meanwhile, or the creation would fail.
 */
export class CreatedNames {
  readonly #creations: readonly Creation[];
  readonly #createdFirst = new Set<string>();

  constructor(positions: readonly Position[]) {
    this.#creations = flattened(positions).flatMap(({ model, entries }) =>
      entries.flatMap((entry) =>
        entry.data.filter(({ fresh }) => fresh).map((data) => ({ model, entry, data })),
      ),
    );
  }

  /**
   * Whether the write creates the row that a filter names and nobody else does. To be asked for each filter that finds
   * no row, in the order of the arguments: the first `connectOrCreate` of a name creates it.
   * @throws CaptureError when it can't be said.
   */
  includes(model: CapturedModel, asking: Entry, where: Args): boolean {
    const creations = this.#creations.filter(
      (each) => each.model === model && each.entry !== asking && agrees(each.data.value, where),
    );
    if (creations.some(({ entry }) => entry.inserts)) return true;
    const name = `${model.name} ${textOf(where)}`;
    if (this.#createdFirst.has(name)) return true;
    if (asking.operation === 'connectOrCreate' && asking.data.every(({ value }) => agrees(value, where))) {
      this.#createdFirst.add(name);
      return false;
    }
    const [perhaps] = creations;
    if (!perhaps) return false;
    throw new CaptureError(
      `The nested write "${asking.trail}" links a row of ${model.name} that "${perhaps.entry.trail}" of the same write ` +
        'may create or find, whose events capture could not tell. Write them one after the other in one transaction ' +
        'instead: prisma.$transaction(async (tx) => { … }).',
    );
  }
}

const agrees = (value: Args, where: Args): boolean =>
  Object.entries(where).every(([field, wanted]) => value[field] === wanted);
