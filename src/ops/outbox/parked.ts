import {
  parkedEvents,
  type ParkedEvent,
  type ParkedSelection,
  readWaitingForTopic,
} from '../../outbox/log/parkedEvents';
import { readRelays } from '../../outbox/log/laneStatus';
import { UserError } from '../../shared/lifecycle';
import type { Tools } from '../command';
import { withDatabase } from '../database';
import { exitCodes } from '../exitCodes';
import { counted } from '../output/counted';
import { roughly } from '../output/duration';
import { report } from '../output/report';
import { table } from '../output/table';
import { parseEventRefs } from './eventRefs';

export interface ParkedOptions {
  readonly all?: boolean;
  readonly reason?: string;
  readonly type?: string;
  readonly execute?: boolean;
  readonly json?: boolean;
}

/** `ops outbox parked list`: what Kafka refuses, why, since when, and what waits behind it. */
export function listParked(tools: Tools, options: ParkedOptions): Promise<number> {
  return withDatabase(tools, async (pool) => {
    const events = await parkedEvents(pool, 'list', selectionOf([], options));
    const waitingForTopics = await readWaitingForTopic(pool);
    const topics = waitingForTopics.map(
      ({ eventType, events, since }) =>
        `${events} events of type ${eventType} wait for their topic since ${since.toISOString()}.`,
    );
    const text = [...(events.length > 0 ? [parkedTable(events)] : ['No event is parked.']), ...topics].join(
      '\n',
    );
    report(tools.stdout, options.json ?? false, { data: { parked: events, waitingForTopics }, text });
    return exitCodes.ok;
  });
}

/** `ops outbox parked retry`: lets the relay try again, in order with what waits behind. */
export function retryParked(tools: Tools, refs: readonly string[], options: ParkedOptions): Promise<number> {
  return change(tools, 'retry', refs, options, {
    done: (events) =>
      `${counted(events.length, 'event')} are tried again by the relay that owns their lane, each before the ones held behind it.`,
    planned: (events) =>
      `${counted(events.length, 'event')} would be tried again. Nothing was changed; add --execute to do it.`,
  });
}

/** `ops outbox parked discard`: gives events up, for what waits behind them to go on. */
export function discardParked(
  tools: Tools,
  refs: readonly string[],
  options: ParkedOptions,
): Promise<number> {
  return change(tools, 'discard', refs, options, {
    done: (events) =>
      `${counted(events.length, 'event')} are given up: no consumer has got them, and the relay will not publish them. ${held(events)} held behind them go on now. Until the retention ends, "outbox replay" can still publish them.`,
    planned: (events) =>
      `${counted(events.length, 'event')} would be given up: no consumer would ever get them. ${held(events)} held behind them would go on. Nothing was changed; add --execute to do it.`,
  });
}

interface Sentences {
  readonly done: (events: readonly ParkedEvent[]) => string;
  readonly planned: (events: readonly ParkedEvent[]) => string;
}

async function change(
  tools: Tools,
  action: 'retry' | 'discard',
  refs: readonly string[],
  options: ParkedOptions,
  { done, planned }: Sentences,
): Promise<number> {
  const { all = false, reason, type, execute = false, json = false } = options;
  if (refs.length === 0 && !all && reason === undefined && type === undefined) {
    throw new UserError('Say which: events by id or sequence, --reason, --type, or --all.');
  }
  const selection = selectionOf(refs, options);
  return withDatabase(tools, async (pool) => {
    const events = await parkedEvents(pool, execute ? action : 'list', selection);
    const warnings =
      (await readRelays(pool)).length > 0 ? [] : ['No relay is alive; it happens when one starts.'];
    const text =
      events.length === 0
        ? 'No parked event fits.'
        : [parkedTable(events), '', (execute ? done : planned)(events), ...warnings].join('\n');
    report(tools.stdout, json, { data: { action, executed: execute, events, warnings }, text });
    return events.length > 0 || refs.length === 0 ? exitCodes.ok : exitCodes.failed;
  });
}

function selectionOf(refs: readonly string[], { reason, type }: ParkedOptions): ParkedSelection {
  return {
    ...(refs.length > 0 ? { refs: parseEventRefs(refs) } : {}),
    ...(reason === undefined ? {} : { reason }),
    ...(type === undefined ? {} : { eventType: type }),
  };
}

const held = (events: readonly ParkedEvent[]): number => events.reduce((sum, { behind }) => sum + behind, 0);

function parkedTable(events: readonly ParkedEvent[]): string {
  return table<ParkedEvent>(
    [
      { title: 'SEQUENCE', value: ({ position }) => position, align: 'right' },
      { title: 'EVENT ID', value: ({ eventId }) => eventId },
      { title: 'TYPE', value: ({ eventType }) => eventType },
      { title: 'AGGREGATE', value: ({ aggregateType, aggregateId }) => `${aggregateType}/${aggregateId}` },
      {
        title: 'SINCE',
        value: ({ parkedAt }) => `${roughly(Math.max(0, Date.now() - parkedAt.getTime()) / 1_000)} ago`,
      },
      { title: 'TRIES', value: ({ attempts }) => attempts, align: 'right' },
      { title: 'BEHIND', value: ({ behind }) => behind, align: 'right' },
      { title: 'REASON', value: ({ reason, detail }) => `${reason}: ${detail}` },
    ],
    events,
  );
}
