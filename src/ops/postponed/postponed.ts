import {
  type PostponedEvent,
  postponedEvents,
  type PostponedSelection,
} from '../../consumers/postponed/manage';
import { UserError } from '../../shared/lifecycle';
import type { Tools } from '../command';
import { withDatabase } from '../database';
import { exitCodes } from '../exitCodes';
import { counted } from '../output/counted';
import { roughly } from '../output/duration';
import { report } from '../output/report';
import { table } from '../output/table';
import { parseEventRefs } from '../outbox/eventRefs';

export interface PostponedOptions {
  readonly all?: boolean;
  readonly consumer?: string;
  readonly type?: string;
  readonly execute?: boolean;
  readonly json?: boolean;
}

/** `ops postponed list`: what consumers have put off, why, and until when. */
export function listPostponed(tools: Tools, options: PostponedOptions): Promise<number> {
  return withDatabase(tools, async (pool) => {
    const events = await postponedEvents(pool, 'list', selectionOf([], options));
    const text = events.length === 0 ? 'No event is postponed.' : postponedTable(events);
    report(tools.stdout, options.json ?? false, { data: { postponed: events }, text });
    return exitCodes.ok;
  });
}

/** `ops postponed retry`: makes events due, those with a dead letter to be written included. */
export function retryPostponed(
  tools: Tools,
  ids: readonly string[],
  options: PostponedOptions,
): Promise<number> {
  return change(tools, 'retry', ids, options, {
    done: 'tried now by the running processes of their consumer, each after earlier ones that it waits for.',
    planned: 'tried now.',
  });
}

/** `ops postponed discard`: gives events up. */
export function discardPostponed(
  tools: Tools,
  ids: readonly string[],
  options: PostponedOptions,
): Promise<number> {
  return change(tools, 'discard', ids, options, {
    done: 'given up: they have no effect, no dead letter is written, and later ones of their aggregate go on. Their consumer still knows them as processed; a replay with --force-reprocess has them processed after all.',
    planned: 'given up: they would have no effect, and later ones of their aggregate would go on.',
  });
}

async function change(
  tools: Tools,
  action: 'retry' | 'discard',
  ids: readonly string[],
  options: PostponedOptions,
  sentences: { readonly done: string; readonly planned: string },
): Promise<number> {
  const { all = false, consumer, type, execute = false, json = false } = options;
  if (ids.length === 0 && !all && consumer === undefined && type === undefined)
    throw new UserError('Say which: events by id, --consumer, --type, or --all.');
  const selection = selectionOf(ids, options);
  return withDatabase(tools, async (pool) => {
    const events = await postponedEvents(pool, execute ? action : 'list', selection);
    const result = execute
      ? `${counted(events.length, 'event')}: ${sentences.done}`
      : `${counted(events.length, 'event')} would be ${sentences.planned} Nothing was changed; add --execute to do it.`;
    const text =
      events.length === 0 ? 'No postponed event fits.' : [postponedTable(events), '', result].join('\n');
    report(tools.stdout, json, { data: { action, executed: execute, events }, text });
    return events.length > 0 || ids.length === 0 ? exitCodes.ok : exitCodes.failed;
  });
}

/** @throws UserError for what is not the id of an event. */
function selectionOf(ids: readonly string[], { consumer, type }: PostponedOptions): PostponedSelection {
  const { eventIds, positions } = parseEventRefs(ids);
  if (positions.length > 0)
    throw new UserError(
      `"${positions.join('", "')}": postponed events are named by their event_id (a UUID).`,
    );
  return { ...(ids.length > 0 ? { eventIds } : {}), consumer, eventType: type };
}

function postponedTable(events: readonly PostponedEvent[]): string {
  return table<PostponedEvent>(
    [
      { title: 'CONSUMER', value: ({ consumer }) => consumer },
      { title: 'EVENT ID', value: ({ eventId }) => eventId },
      { title: 'TYPE', value: ({ eventType }) => eventType },
      { title: 'AGGREGATE', value: ({ aggregateType, aggregateId }) => `${aggregateType}/${aggregateId}` },
      { title: 'SINCE', value: ({ postponedAt }) => `${roughly(secondsUntil(postponedAt) * -1)} ago` },
      { title: 'NEXT', value: next },
      { title: 'TRIES', value: ({ attempts }) => attempts, align: 'right' },
      { title: 'REASON', value: ({ reason }) => reason ?? '' },
    ],
    events,
  );
}

function next({ inHand, givenUp, dueAt }: PostponedEvent): string {
  if (inHand) return 'in hand';
  if (givenUp) return 'dead letter';
  if (dueAt === null) return 'after the one before';
  const seconds = secondsUntil(dueAt);
  return seconds > 0 ? `in ${roughly(seconds)}` : 'due';
}

const secondsUntil = (time: Date): number => (time.getTime() - Date.now()) / 1_000;
