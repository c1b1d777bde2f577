/*
 * `ops outbox replay`: publishes events again that were published before, as they stand in the outbox.
 *
 * In the order of their positions, so each aggregate's events come in their order; through the relay's own code, so
 * what Kafka gets is what it got the first time, but for two headers that mark the replay. Cursors are neither read for
 * it nor moved, beyond asking what they have passed: relays go on meanwhile. Consumers meet old events after newer
 * ones, as with any replay; their inbox drops those that they have had.
 */
import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { refuseForeignCursors } from '../../outbox/log/guard';
import { openBatch } from '../../outbox/log/openBatch';
import { readLanes } from '../../outbox/log/readLanes';
import { countReplayable, type ReplayCount, type ReplaySelection } from '../../outbox/log/replayable';
import type { Tools } from '../command';
import { withDatabase } from '../database';
import { exitCodes } from '../exitCodes';
import { interrupted, untilInterrupted } from '../interrupt';
import { counted } from '../output/counted';
import { report } from '../output/report';
import { table } from '../output/table';
import { parseSelection, type SelectionOptions } from './replaySelection';
import { type Replayed, sendReplay } from './sendReplay';

export interface ReplayOptions extends SelectionOptions {
  readonly execute?: boolean;
  readonly json?: boolean;
}

/** Publishes again, or says how many of what would be. */
export function replay(tools: Tools, refs: readonly string[], options: ReplayOptions): Promise<number> {
  return withDatabase(tools, async (pool) => {
    // What is appended from now on is none of this.
    const { ceiling } = await openBatch(pool);
    const selection = parseSelection(tools.catalogue, refs, options, String(ceiling));
    const lanes = await readLanes(pool);
    await refuseForeignCursors(pool, lanes);
    const counts = await countReplayable(pool, selection);
    const total = counts.reduce((sum, { events }) => sum + events, 0);
    if (options.execute && total > 0) {
      return execute(tools, pool, { selection, lanes: lanes.map(({ lane }) => lane), total }, options);
    }
    report(tools.stdout, options.json ?? false, {
      data: { executed: false, total, types: counts },
      text: total === 0 ? 'No published event fits.' : planText(counts, total),
    });
    return exitCodes.ok;
  });
}

function planText(counts: readonly ReplayCount[], total: number): string {
  const types = table<ReplayCount>(
    [
      { title: 'TYPE', value: ({ eventType }) => eventType },
      { title: 'EVENTS', value: ({ events }) => events, align: 'right' },
      { title: 'FIRST', value: ({ first }) => first.toISOString() },
      { title: 'LAST', value: ({ last }) => last.toISOString() },
    ],
    counts,
  );
  return `${types}\n\n${counted(total, 'event')} would be published again. Nothing was sent; add --execute to do it.`;
}

interface Plan {
  readonly selection: ReplaySelection;
  readonly lanes: readonly number[];
  readonly total: number;
}

async function execute(
  tools: Tools,
  pool: Pool,
  plan: Plan,
  { json = false }: ReplayOptions,
): Promise<number> {
  const replayId = randomUUID();
  const result = await sendReplay(tools, pool, { ...plan, replayId, signal: untilInterrupted() });
  const { refused, stoppedAt, failure } = result;
  report(tools.stdout, json, {
    data: { executed: true, replayId, total: plan.total, ...result },
    text: resultText(plan.total, replayId, result),
  });
  if (failure !== undefined || refused.length > 0) return exitCodes.failed;
  return stoppedAt === null ? exitCodes.ok : interrupted;
}

function resultText(
  total: number,
  replayId: string,
  { published, refused, stoppedAt, failure }: Replayed,
): string {
  const kept = refused.map(
    ({ sequence, eventId, eventType, detail }) =>
      `not sent: ${eventType} ${eventId} (sequence ${sequence}). ${detail}`,
  );
  const sent = `${published} of ${counted(total, 'event')} published again as replay ${replayId}.`;
  if (stoppedAt === null) return [...kept, sent].join('\n');
  const why = failure === undefined ? 'Interrupted' : `Kafka did not take them (${failure})`;
  return [
    ...kept,
    sent,
    `${why} after sequence ${stoppedAt}. To go on, run the same command with --after ${stoppedAt}`,
  ].join('\n');
}
