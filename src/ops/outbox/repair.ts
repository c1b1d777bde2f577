import { repairCursors } from '../../outbox/log/repair';
import type { Tools } from '../command';
import { withDatabase } from '../database';
import { report } from '../output/report';

export interface RepairOptions {
  readonly execute?: boolean;
  readonly json?: boolean;
}

/** `ops outbox repair`: rebuilds the cursors from the last published event, or says what that would publish. */
export function repair(tools: Tools, { execute = false, json = false }: RepairOptions): Promise<number> {
  return withDatabase(tools, async (pool) => {
    const lanes = await repairCursors(pool, { execute });
    const waiting = lanes.reduce((sum, lane) => sum + lane.waiting, 0);
    const text = execute
      ? `The cursors are rebuilt. ${waiting} events wait and are published when a relay starts.`
      : `${waiting} events would be published. Nothing was changed; add --execute to rebuild the cursors.`;
    report(tools.stdout, json, { data: { executed: execute, waiting, lanes }, text });
    return 0;
  });
}
