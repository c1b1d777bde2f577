import { UserError } from '../../src/shared/lifecycle';

/** One run of a part, from the moment it is ready. */
export interface Run {
  /** Resolves when it has ended, with how, e.g. "exit code 1". Never rejects. */
  readonly ended: Promise<string>;
  /** Asks it to stop and resolves when it has ended; with force if it takes too long. May be called again. */
  stop(): Promise<void>;
  /** Ends it at once. */
  kill(): void;
}

/** Something that is started, watched and restarted: a server in a process of its own. */
export interface Part {
  /** Short; stands before each line of its log. */
  readonly name: string;
  /**
   * Starts it and resolves when it is ready. When `signal` is aborted it gives up, leaving nothing behind.
   * @throws PartError when it did not get ready
   */
  launch(signal: AbortSignal): Promise<Run>;
}

/** A part did not get ready; the message holds the part's last lines. */
export class PartError extends UserError {
  override readonly name = 'PartError';
}
