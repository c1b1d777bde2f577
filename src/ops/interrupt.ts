import { onStopSignal } from '../shared/stopSignal';

/** The exit code of a command that a signal has ended before all was done, as shells have it for Ctrl-C. */
export const interrupted = 130;

/** Aborted by Ctrl-C or SIGTERM, for a command to end after the step in hand; a second signal ends it at once. */
export function untilInterrupted(): AbortSignal {
  const interrupt = new AbortController();
  onStopSignal(
    () => interrupt.abort(),
    () => process.exit(interrupted),
  );
  return interrupt.signal;
}
