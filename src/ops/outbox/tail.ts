/*
 * `ops outbox tail`: the newest events of the outbox, and with --follow those that are committed from then on.
 *
 * It follows as the relay reads, with cursors of its own in memory: nothing is missed that commits late, nothing comes
 * twice, and the relay's cursors are not touched. It shows what the outbox holds, published or not.
 */
import type { Pool } from 'pg';
import { escapeControls } from '../../consumers/console/escapeControls';
import { Output } from '../../consumers/console/output';
import { batchDone, type Cursor, type Horizon, pageRequest, withinBatch } from '../../outbox/log/cursor';
import { look } from '../../outbox/log/look';
import { openBatch } from '../../outbox/log/openBatch';
import { readLanes } from '../../outbox/log/readLanes';
import { comparePositions, type LogRow } from '../../outbox/log/readPage';
import { readRecent, type RecentFilter } from '../../outbox/log/recent';
import { UserError } from '../../shared/lifecycle';
import { sleep } from '../../shared/sleep';
import type { Tools } from '../command';
import { withDatabase } from '../database';
import { exitCodes } from '../exitCodes';
import { untilInterrupted } from '../interrupt';

export interface TailOptions {
  readonly lines: string;
  readonly type?: readonly string[];
  readonly key?: readonly string[];
  readonly follow?: boolean;
  readonly data?: boolean;
  readonly json?: boolean;
}

const pollMs = 500;
const limits = { rows: 500, pageBytes: 1_000_000, dataBytes: 100_000 };

export async function tail(tools: Tools, options: TailOptions): Promise<number> {
  const count = Number(options.lines);
  if (!Number.isInteger(count) || count < 0 || count > 10_000) {
    throw new UserError(`--lines "${options.lines}" is not a number of events from 0 to 10000.`);
  }
  const filter: RecentFilter = {
    ...(options.type ? { eventTypes: options.type } : {}),
    ...(options.key ? { aggregateIds: options.key } : {}),
  };
  const output = new Output(tools.stdout);
  const print = async (rows: readonly LogRow[]): Promise<void> => {
    for (const row of rows)
      await output.write(`${options.json ? jsonOf(row, options) : lineOf(row, options)}\n`);
  };
  return withDatabase(tools, async (pool) => {
    const now = await openBatch(pool);
    if (count > 0) await print(await readRecent(pool, now, filter, { ...limits, rows: count }));
    if (options.follow)
      await follow(pool, now, filter, print, AbortSignal.any([untilInterrupted(), output.closed]));
    return exitCodes.ok;
  });
}

async function follow(
  pool: Pool,
  start: Horizon,
  filter: RecentFilter,
  print: (rows: readonly LogRow[]) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const cursors = new Map<number, Cursor>();
  while (!signal.aborted) {
    // Their number may be raised meanwhile; a new lane has nothing from before the start.
    for (const { lane } of await readLanes(pool)) {
      if (!cursors.has(lane)) cursors.set(lane, { done: start });
    }
    const lanes = [...cursors];
    const pages = await look(
      pool,
      (now) => lanes.map(([lane, cursor]) => pageRequest(lane, cursor, now)),
      limits,
    );
    for (const { request, rows, full } of pages) {
      const last = rows.at(-1);
      cursors.set(
        request.lane,
        full && last ? withinBatch(request, BigInt(last.position)) : batchDone(request),
      );
    }
    const wanted = pages.flatMap(({ rows }) => rows).filter((row) => fits(row, filter));
    await print(wanted.sort((a, b) => comparePositions(a.position, b.position)));
    if (!pages.some(({ request, full }) => full || request.resumed)) await sleep(pollMs, signal);
  }
}

function fits({ eventType, aggregateId }: LogRow, { eventTypes, aggregateIds }: RecentFilter): boolean {
  return (eventTypes?.includes(eventType) ?? true) && (aggregateIds?.includes(aggregateId) ?? true);
}

function lineOf(row: LogRow, { data = false }: TailOptions): string {
  const { occurredAt, position, eventType, aggregateType, aggregateId, eventId, actor, correlationId } = row;
  const parts = [
    occurredAt.toISOString(),
    position.padStart(8),
    eventType.padEnd(23),
    `${aggregateType}/${aggregateId}`,
    eventId,
    `actor=${actor ?? '-'}`,
    `correlation=${correlationId ?? '-'}`,
    ...(data ? [row.data ?? `(${row.dataBytes} bytes)`] : []),
  ];
  return escapeControls(parts.join('  '));
}

/** One line; data stays the text that it is, for its numbers may be longer than JavaScript can hold. */
function jsonOf(row: LogRow, { data = false }: TailOptions): string {
  const line = JSON.stringify({
    sequence: row.position,
    lane: row.lane,
    event_id: row.eventId,
    event_type: row.eventType,
    event_version: row.eventVersion,
    aggregate_type: row.aggregateType,
    aggregate_id: row.aggregateId,
    timestamp: row.occurredAt,
    source: row.source,
    correlation_id: row.correlationId,
    causation_id: row.causationId,
    actor: row.actor,
    traceparent: row.traceparent,
    data_bytes: row.dataBytes,
  });
  // What was written over several lines means the same in one: no JSON string holds a line break.
  return data ? `${line.slice(0, -1)},"data":${(row.data ?? 'null').replaceAll(/[\r\n]+/g, ' ')}}` : line;
}
