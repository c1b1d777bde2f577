import { openSync, writeSync } from 'node:fs';

/** What a writer knows of one of its transactions. */
export interface JournalLine {
  /** Names it in chaos.change. */
  readonly tag: string;
  /** How many changes it makes if it commits. */
  readonly changes: number;
  /** `begun` alone: the writer was killed, or the answer was lost. It may have committed, wholly, or not at all. */
  readonly outcome: 'begun' | 'committed' | 'rolled back';
}

/** A file of lines, each written before anything else happens: it outlives the kill of its writer. */
export class WriterJournal {
  readonly #file: number;

  constructor(path: string) {
    this.#file = openSync(path, 'a');
  }

  note(line: JournalLine): void {
    writeSync(this.#file, `${JSON.stringify(line)}\n`);
  }
}
