import { parseSince } from '../consumers/console/arguments';
import { UserError } from '../shared/lifecycle';

/** Reads `30s`, `10m`, `2h`, `3d` (ago) or a date and time, into milliseconds since 1970. @throws UserError */
export function parseTime(text: string, option: string, nowMs = Date.now()): number {
  try {
    return parseSince(text, nowMs);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(error.message.replace('--since', option), { cause: error });
  }
}
