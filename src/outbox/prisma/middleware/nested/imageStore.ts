import type { NestedGraph } from './graph';
import { keyOf, mapChanges, type MappedEvent, type Row } from '../../../mapping';
import type { CapturedModel } from '../model';

/** What is known of the rows that one write may touch, before and after it. */
export class ImageStore {
  readonly #before = new Map<CapturedModel, Map<string, Row>>();
  readonly #after = new Map<CapturedModel, Map<string, Row>>();
  readonly #existing = new Map<CapturedModel, Map<string, unknown>>();

  /** Records images under their locks: whatever differs afterwards is the write's doing. */
  recordBefore(model: CapturedModel, rows: readonly Row[]): void {
    const held = entry(this.#before, model);
    for (const row of rows) {
      const name = keyOf(model.aggregate, row);
      if (!held.has(name)) held.set(name, row);
    }
    this.markExisting(model, rows);
  }

  /** Records that rows already exist, although the write does not touch them. */
  markExisting(model: CapturedModel, rows: readonly Row[]): void {
    const existing = entry(this.#existing, model);
    for (const row of rows) existing.set(keyOf(model.aggregate, row), row[model.key]);
  }

  /** The keys of all rows of a model that existed before. */
  existingKeys(model: CapturedModel): unknown[] {
    return [...(this.#existing.get(model)?.values() ?? [])];
  }

  /** Records images of rows as they are now. */
  recordAfter(model: CapturedModel, rows: readonly Row[]): void {
    const found = entry(this.#after, model);
    for (const row of rows) found.set(keyOf(model.aggregate, row), row);
  }

  /** By model, the keys of the rows that have an image before the write and none after it. */
  missing(): [CapturedModel, unknown[]][] {
    return [...this.#before].map(([model, held]) => {
      const found = this.#after.get(model);
      const missing = [...held].filter(([name]) => !found?.has(name));
      return [model, missing.map(([, row]) => row[model.key])];
    });
  }

  /**
   * The events of all differences: first what went, those that pointed before those that they pointed to; then what
   * came or changed, those that are pointed to first.
   */
  events({ order }: NestedGraph): MappedEvent[] {
    const models = order.filter((model) => this.#before.has(model) || this.#after.has(model));
    const gone = models.toReversed().flatMap((model) => {
      const rows = this.#split(model, false);
      return mapChanges(model.aggregate, rows, []);
    });
    const there = models.flatMap((model) =>
      mapChanges(model.aggregate, this.#split(model, true), this.#after.get(model)?.values() ?? []),
    );
    return [...gone, ...there];
  }

  /** The rows with an image before the write that are still there, or are gone. */
  #split(model: CapturedModel, still: boolean): Row[] {
    const found = this.#after.get(model);
    return [...(this.#before.get(model) ?? [])]
      .filter(([name]) => (found?.has(name) ?? false) === still)
      .map(([, row]) => row);
  }
}

function entry<V>(map: Map<CapturedModel, Map<string, V>>, model: CapturedModel): Map<string, V> {
  const found = map.get(model) ?? new Map<string, V>();
  map.set(model, found);
  return found;
}
