import pino, { type Logger } from 'pino';
import { createLogger } from '../../src/shared/logger';

export interface CapturedLog {
  /** The service's own logger, redaction and all, at level "trace". */
  readonly logger: Logger;
  /** Every line so far, as it would have been printed. */
  readonly lines: () => string[];
  /** Every line so far, parsed. */
  readonly entries: () => Record<string, unknown>[];
}

/** Logs into memory, so that tests can look for what must be logged and for what must never be. */
export function captureLogger(): CapturedLog {
  const written: string[] = [];
  const logger = createLogger(
    { level: 'trace', name: 'test' },
    { write: (line) => void written.push(line.trimEnd()) },
  );
  return {
    logger,
    lines: () => [...written],
    entries: () => written.map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}

/** For tests that don't look at the log. */
export function silentLogger(): Logger {
  return pino({ level: 'silent' });
}
