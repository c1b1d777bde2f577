import { refuseForeignCursors } from '../../outbox/log/guard';
import { readLanes } from '../../outbox/log/readLanes';
import { type LaneStatus, readLaneStatus, readRelays } from '../../outbox/log/laneStatus';
import { readWaitingForTopic, stateOf, type WaitingForTopic } from '../../outbox/log/parkedEvents';
import { describeTarget, readTarget, type StoredTarget } from '../../outbox/log/target';
import { UserError } from '../../shared/lifecycle';
import type { Tools } from '../command';
import { withDatabase } from '../database';
import { exitCodes } from '../exitCodes';
import { counted } from '../output/counted';
import { roughly } from '../output/duration';
import { report } from '../output/report';
import { table } from '../output/table';
import { topicRemedy } from '../topicRemedy';

export interface StatusOptions {
  /** Seconds, as typed. */
  readonly maxAge: string;
  readonly json?: boolean;
}

interface Status {
  readonly lanes: readonly LaneStatus[];
  readonly relays: readonly string[];
  /** Those of them that reach the database and not Kafka. */
  readonly standingBy: readonly string[];
  /** Where the events go; null before the first relay has reached Kafka. */
  readonly target: StoredTarget | null;
  readonly waiting: number;
  readonly oldestSeconds: number;
  readonly parked: number;
  readonly held: number;
  readonly waitingForTopics: readonly WaitingForTopic[];
}

/** `ops outbox status`: who publishes what, what waits, and what is wrong. */
export async function status(tools: Tools, { maxAge, json = false }: StatusOptions): Promise<number> {
  const maxAgeSeconds = Number(maxAge);
  if (!(maxAgeSeconds > 0)) throw new UserError(`--max-age "${maxAge}" is not a number of seconds above 0.`);
  return withDatabase(tools, async (pool) => {
    const lanes = await readLaneStatus(pool);
    const relays = await readRelays(pool);
    const sum = (of: (lane: LaneStatus) => number): number =>
      lanes.reduce((total, lane) => total + of(lane), 0);
    const found: Status = {
      lanes,
      relays: relays.map(({ instance }) => instance),
      standingBy: relays.filter(({ standsBy }) => standsBy).map(({ instance }) => instance),
      target: (await readTarget(pool)) ?? null,
      waiting: sum(({ waiting }) => waiting),
      oldestSeconds: Math.max(0, ...lanes.map(({ oldestSeconds }) => oldestSeconds)),
      parked: sum(({ parked }) => parked),
      held: sum(({ held }) => held),
      waitingForTopics: await readWaitingForTopic(pool),
    };
    const foreign = await refuseForeignCursors(pool, await readLanes(pool)).then(() => [], messageOf);
    const warnings = [...foreign, ...warningsOf(found, maxAgeSeconds)];
    report(tools.stdout, json, { data: { ...found, warnings }, text: textOf(found, warnings) });
    return warnings.length > 0 ? exitCodes.attention : exitCodes.ok;
  });
}

function messageOf(error: unknown): string[] {
  if (error instanceof UserError) return [error.message];
  throw error;
}

function warningsOf(found: Status, maxAgeSeconds: number): string[] {
  const { lanes, relays, standingBy, oldestSeconds, parked, waitingForTopics } = found;
  const free = lanes.filter(({ owner, opensAfter }) => owner === null && opensAfter === null).length;
  const warnings: string[] = [];
  if (relays.length === 0)
    warnings.push('No relay is alive: nothing is published. Start one (npx signalbox relay).');
  else if (free > 0) warnings.push(`${free} lanes have no owner. A relay takes them within a lease's third.`);
  if (oldestSeconds > maxAgeSeconds) {
    warnings.push(`The oldest event has waited for ${roughly(oldestSeconds)}. The relay's log says why.`);
  }
  if (parked > 0)
    warnings.push(`${counted(parked, 'event')} parked. See "npx signalbox ops outbox parked list".`);
  for (const { eventType, events, reason, detail } of waitingForTopics) {
    warnings.push(
      `Waiting for the topic of ${eventType}: ${counted(events, 'event')}. ${detail} ${topicRemedy(stateOf(reason))}`,
    );
  }
  if (standingBy.length > 0) {
    warnings.push(
      `Standing by, because Kafka does not answer: ${standingBy.join(', ')}. Look at the log and the network.`,
    );
  }
  return warnings;
}

function textOf(found: Status, warnings: readonly string[]): string {
  const { lanes, relays, target, waiting, oldestSeconds, parked, held } = found;
  const names = relays.length === 0 ? 'none' : relays.join(', ');
  return [
    laneTable(lanes),
    '',
    `${waiting} events wait${waiting > 0 ? `, the oldest for ${roughly(oldestSeconds)}` : ''}; ${parked} parked, ${held} held. Relays: ${names}.`,
    target ? `Published to ${describeTarget(target)}.` : 'No relay has reached Kafka yet.',
    ...warnings.map((warning) => `! ${warning}`),
  ].join('\n');
}

function laneTable(lanes: readonly LaneStatus[]): string {
  return table<LaneStatus>(
    [
      { title: 'LANE', value: ({ lane }) => lane, align: 'right' },
      { title: 'OWNER', value: ownerOf },
      { title: 'LEASE', value: (lane) => (lane.leaseSeconds === null ? '-' : roughly(lane.leaseSeconds)) },
      { title: 'WAITING', value: ({ waiting }) => waiting, align: 'right' },
      { title: 'OLDEST', value: (lane) => (lane.waiting > 0 ? roughly(lane.oldestSeconds) : '-') },
      { title: 'PARKED', value: ({ parked }) => parked, align: 'right' },
      { title: 'HELD', value: ({ held }) => held, align: 'right' },
      { title: 'LAST PUBLISHED', value: ({ lastPosition }) => lastPosition, align: 'right' },
      {
        title: 'MOVED',
        value: ({ movedAt }) => (movedAt === null ? '-' : `${roughly(secondsSince(movedAt))} ago`),
      },
    ],
    lanes,
  );
}

function ownerOf({ owner, opensAfter }: LaneStatus): string {
  return opensAfter === null ? (owner ?? '-') : `(opens after lane ${opensAfter})`;
}

/** By this machine's clock; for people only. */
function secondsSince(time: Date): number {
  return Math.max(0, (Date.now() - time.getTime()) / 1_000);
}
