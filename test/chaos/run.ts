/*
 * One run: begin → storm → calm (everything healed, the backlog empties) → stop → judge.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { check, type Verdict } from './checker/check';
import { collect } from './checker/collect';
import { randomFrom } from './random';
import { raise } from './storm';
import type { BrokerKind } from './world/broker';
import { query } from './world/database';
import type { Unit } from './world/unit';
import { createWorld, topicPrefix, type World } from './world/world';

export interface RunOptions {
  readonly seed: number;
  readonly minutes: number;
  readonly kind: BrokerKind;
  /** For data and logs. */
  readonly directory: string;
  /** Told now and then how far it is. */
  readonly onProgress: (line: string) => void;
  /** Ends the storm early. */
  readonly interrupted: AbortSignal;
}

export interface Outcome {
  readonly verdict: Verdict;
  readonly disturbances: ReadonlyMap<string, number>;
  /** Programs that ended by themselves, or not when they were told. */
  readonly findings: readonly string[];
  /** Whether consumers had caught up in time. */
  readonly caughtUp: boolean;
}

const progressEveryMs = 30_000;
const underWayWithinMs = 120_000;
const lullWithinMs = 40_000;
/** A dead member keeps its partitions for a session, and machines may be slow: longer than any honest recovery. */
const catchUpWithinMs = 240_000;

export async function run(options: RunOptions): Promise<Outcome> {
  const { seed, kind, directory, onProgress } = options;
  const random = randomFrom(seed);
  const world = await createWorld({ directory, kind, random });
  try {
    const units = [...world.consumers, ...world.relays, ...world.writers];
    await Promise.all(units.map((unit) => unit.start()));
    await underWay(world);
    const storm = raise(world, random.fork(), (over) => lull(world, over));
    await weather(options, world, storm.counts);
    onProgress('the storm is over; healing');
    await storm.end();
    await stopAll(world.writers);
    onProgress('the writers have stopped; waiting for relays and consumers to catch up');
    const caughtUp = await catchUp(world);
    await stopAll([...world.relays, ...world.consumers]);
    onProgress('everything has stopped; reading what is left');
    const { database, brokers, journals } = world;
    const evidence = await collect({ databaseUrl: database.url, brokers, topicPrefix, journals });
    const findings = units.flatMap((unit) => unit.findings);
    return { verdict: check(evidence), disturbances: storm.counts, findings, caughtUp };
  } finally {
    await world.close();
  }
}

async function weather(
  { minutes, onProgress, interrupted }: RunOptions,
  { database }: World,
  counts: ReadonlyMap<string, number>,
): Promise<void> {
  const startedAt = Date.now();
  const endsAt = startedAt + minutes * 60_000;
  while (Date.now() < endsAt && !interrupted.aborted) {
    const restMs = Math.min(progressEveryMs, endsAt - Date.now());
    await sleep(restMs, undefined, { signal: interrupted }).catch(() => undefined);
    const struck = [...counts.values()].reduce((sum, count) => sum + count, 0);
    const seconds = Math.round((Date.now() - startedAt) / 1_000);
    // The database may be down at this very moment.
    const progress = await progressOf(database.url).catch(() => undefined);
    const figures = progress
      ? `${progress.changes} changes, ${progress.effects} effects`
      : 'the database is away';
    onProgress(`${seconds} s: ${struck} disturbances, ${figures}`);
  }
}

/** A storm that strikes what has not even begun proves nothing: at first, something has to come all the way. */
async function underWay(world: World): Promise<void> {
  const deadline = Date.now() + underWayWithinMs;
  while ((await progressOf(world.database.url)).effects < 30) {
    const findings = world.relays.concat(world.consumers, world.writers).flatMap((unit) => unit.findings);
    if (findings.length > 0 || Date.now() > deadline) {
      throw new Error(['Nothing comes through, though nothing disturbs it.', ...findings].join('\n'));
    }
    await sleep(200);
  }
}

/** Until what had been committed when it began has come through; a slow machine may not get there. */
async function lull({ database }: World, over: AbortSignal): Promise<void> {
  const deadline = Date.now() + lullWithinMs;
  let goal: number | undefined;
  while (!over.aborted && Date.now() < deadline) {
    const progress = await progressOf(database.url).catch(() => undefined);
    goal ??= progress?.changes;
    if (progress && goal !== undefined && progress.effects >= goal) return;
    await sleep(200);
  }
}

interface Progress {
  readonly changes: number;
  readonly effects: number;
}

async function progressOf(url: string): Promise<Progress> {
  const [row] = await query<Progress>(
    url,
    `SELECT (SELECT count(*)::int FROM chaos.change) AS changes,
       (SELECT count(DISTINCT event_id)::int FROM chaos.effect) AS effects`,
  );
  if (!row) throw new Error('The database gave no answer.');
  return row;
}

/** Until every change has had its effect; a loss makes it wait in vain, and is for the judge to name. */
async function catchUp({ database }: World): Promise<boolean> {
  const deadline = Date.now() + catchUpWithinMs;
  while (Date.now() < deadline) {
    const { changes, effects } = await progressOf(database.url);
    if (effects >= changes) return true;
    await sleep(300);
  }
  return false;
}

async function stopAll(units: readonly Unit[]): Promise<void> {
  await Promise.all(units.map((unit) => unit.stop()));
}
