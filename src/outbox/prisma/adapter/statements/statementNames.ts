/** Postgres keeps a plan for each, in each connection. An application's statements on its hot paths are fewer. */
const defaultMost = 200;

/** How often a statement must have come before it is worth a plan of its own: as often as JDBC's driver waits. */
const usesBefore = 5;

/** Longer ones are bulk writes: their texts vary with the number of rows, and parsing is little of what they cost. */
const longest = 4_000;

/** Statements that have come, but not often enough; more than these are forgotten all at once. */
const mostCounted = 1_000;

/**
 * Which statements of a pool are prepared, and under which names. Postgres parses and plans a prepared statement once
 * for each connection, and any other one each time that it comes.
 *
 * Only what comes again and again gets a name: texts that vary with their number of values would fill the connections
 * with plans that nobody uses. There are at most 200 names by default, and a name never gets another text.
 */
export class StatementNames {
  readonly #names = new Map<string, string>();
  readonly #uses = new Map<string, number>();
  #given = 0;
  #off = false;

  constructor(private readonly most = defaultMost) {}

  /** Whether no statement has a name any more. */
  get off(): boolean {
    return this.#off;
  }

  /** The name of a statement that is prepared; undefined for one that is to be sent as it is. */
  of(text: string): string | undefined {
    return this.#names.get(text) ?? this.#count(text);
  }

  /** A server would not run the plan that it has under this name: the statement's next one is another. */
  forget(text: string, name: string): void {
    // Another connection may have found it out before.
    if (this.#names.get(text) !== name) return;
    this.#names.delete(text);
    this.#uses.set(text, usesBefore);
  }

  turnOff(): void {
    this.#off = true;
  }

  #count(text: string): string | undefined {
    if (text.length > longest || this.#given >= this.most) return undefined;
    const uses = this.#uses.get(text) ?? 0;
    if (uses >= usesBefore) return this.#name(text);
    if (this.#uses.size >= mostCounted) this.#uses.clear();
    this.#uses.set(text, uses + 1);
    return undefined;
  }

  #name(text: string): string {
    this.#uses.delete(text);
    this.#given += 1;
    const name = `signalbox_${this.#given}`;
    this.#names.set(text, name);
    return name;
  }
}
