import { raiseLanes } from '../../outbox/log/raiseLanes';
import type { Tools } from '../command';
import { withDatabase } from '../database';
import { exitCodes } from '../exitCodes';
import { report } from '../output/report';

export interface LanesOptions {
  readonly to: string;
  readonly execute?: boolean;
  readonly json?: boolean;
}

/** `ops outbox lanes`: raises the number of lanes while everything runs. */
export function lanes(tools: Tools, { to, execute = false, json = false }: LanesOptions): Promise<number> {
  return withDatabase(tools, async (pool) => {
    const change = await raiseLanes(pool, { to: Number(to), execute });
    const text = execute
      ? `There are ${change.to} lanes now, ${change.from} before. The new ones open as soon as the old ones have passed what was there; "outbox status" shows it.`
      : `The number of lanes would be raised from ${change.from} to ${change.to}. Nothing was changed; add --execute to do it.`;
    report(tools.stdout, json, { data: { executed: execute, ...change }, text });
    return exitCodes.ok;
  });
}
