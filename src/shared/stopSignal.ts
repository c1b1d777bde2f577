/**
 * On Ctrl-C the terminal signals its whole foreground group, and npm passes the signal on as well: one key press may
 * arrive twice. What follows the first within half a second is taken for its echo.
 */
const echoMs = 500;
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Calls `stop` at the first signal that asks this program to end, and `atOnce` when somebody insists. */
export function onStopSignal(stop: (signal: NodeJS.Signals) => void, atOnce: () => void): void {
  let firstAt: number | undefined;
  for (const signal of signals) {
    process.on(signal, () => {
      if (firstAt === undefined) {
        firstAt = Date.now();
        stop(signal);
      } else if (Date.now() - firstAt > echoMs) {
        atOnce();
      }
    });
  }
}
