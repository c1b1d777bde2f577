import { onStopSignal } from '../../src/shared/stopSignal';

export interface StopSwitch {
  /** Resolves with the reason, in words. */
  readonly requested: Promise<string>;
}

export interface StopSwitchOptions {
  /** Whether our parent is npm, without which nobody could stop us any more. */
  readonly underNpm: boolean;
  readonly atOnce: () => void;
}

/** When to stop: at the first signal, or when npm, which runs us, or the reader of our output is gone. */
export function installStopSwitch({ underNpm, atOnce }: StopSwitchOptions): StopSwitch {
  const requested = new Promise<string>((resolve) => {
    onStopSignal(resolve, atOnce);
    // `npm start | head` ends like Ctrl-C.
    for (const stream of [process.stdout, process.stderr]) {
      stream.on('error', () => resolve('nobody reads the output any more'));
    }
    if (underNpm) watchParent(() => resolve('npm is gone'));
  });
  return { requested };
}

function watchParent(onGone: () => void): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) onGone();
  }, 250).unref();
}
