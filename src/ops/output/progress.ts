import type { Writable } from 'node:stream';

/** Where progress may be drawn: stderr, so that it never mixes with a command's result. */
export interface ProgressStream extends Pick<Writable, 'write'> {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface ProgressOptions {
  readonly stream: ProgressStream;
  readonly total: number;
  /** What is counted, in the plural: "events". */
  readonly unit: string;
  /** Milliseconds of a clock that is never set. */
  readonly now?: () => number;
}

/** A bar that shows how far a long command has come. */
export interface Progress {
  /** Counts what was done since the last call. */
  advance(count: number): void;
  /** Removes the bar, for what is printed next to begin on a clean line. May be called again. */
  end(): void;
}

const barWidth = 24;
/** Drawn this seldom, in milliseconds: a terminal over a slow line must not hold up the work. */
const redrawMs = 100;
const clearLine = '\r\u001b[2K';

/** A progress bar on a terminal; where there is none (a pipe, a log), one that shows nothing. */
export function createProgress({
  stream,
  total,
  unit,
  now = () => performance.now(),
}: ProgressOptions): Progress {
  if (!stream.isTTY) return { advance: () => undefined, end: () => undefined };
  const startedAt = now();
  let done = 0;
  let drawnAt = Number.NEGATIVE_INFINITY;
  return {
    advance: (count) => {
      done += count;
      if (now() - drawnAt < redrawMs && done < total) return;
      drawnAt = now();
      const line = progressLine({ done, total, unit, elapsedMs: drawnAt - startedAt });
      stream.write(`${clearLine}${line.slice(0, (stream.columns ?? 80) - 1)}`);
    },
    end: () => {
      if (drawnAt > Number.NEGATIVE_INFINITY) stream.write(clearLine);
      drawnAt = Number.NEGATIVE_INFINITY;
    },
  };
}

/** `[#####···]  62 %  1240 of 2000 events, 310/s`; a total that turns out too low is never passed. */
export function progressLine(state: {
  done: number;
  total: number;
  unit: string;
  elapsedMs: number;
}): string {
  const { done, unit, elapsedMs } = state;
  const total = Math.max(state.total, done);
  const share = total === 0 ? 1 : done / total;
  const filled = Math.floor(share * barWidth);
  const rate = elapsedMs > 0 ? `, ${Math.round((done * 1000) / elapsedMs)}/s` : '';
  const percent = String(Math.floor(share * 100)).padStart(3);
  return `[${'#'.repeat(filled)}${'·'.repeat(barWidth - filled)}] ${percent} %  ${done} of ${total} ${unit}${rate}`;
}
