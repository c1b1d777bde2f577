/** What every ops command exits with, so that scripts can tell the cases apart. */
export const exitCodes = {
  ok: 0,
  /** It could not be done, or not all of it. */
  failed: 1,
  /** It was looked, nothing was changed, and there is something to do. */
  attention: 2,
} as const;

/** For `--help`. */
export const exitCodesHelp = `
Exit codes: 0 done, or nothing to do; 1 it could not be done; 2 where a command only looks: there is something to do.`;
