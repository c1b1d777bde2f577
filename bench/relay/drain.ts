/** One backlog, brought to Kafka by relays or by the bare producer, and watched from Kafka's side. */
import { findFreePort } from '../../dev/postgres/ports';
import { sleep } from '../../src/shared/sleep';
import { programEnvironment } from './environment';
import type { Outbox } from './outbox';
import { type ProcessFigures, readProcess } from './processFigures';
import { type Program, startProgram } from './programs';
import type { Servers } from './servers';
import type { Topics } from './topics';

export interface Bench {
  readonly servers: Servers;
  readonly topics: Topics;
}

/** How much was in Kafka at a moment, in milliseconds. */
export interface Sample {
  readonly atMs: number;
  readonly events: number;
}

export interface Drained {
  readonly eventsPerSecond: number;
  /** Of all processes together, while it was measured; NaN where the kernel doesn't tell. */
  readonly cpuMicrosPerEvent: number;
  /** The greatest of the processes'. */
  readonly peakRssMb: number;
  /** Memory at a quarter of the way and at the end: a leak shows as a difference. */
  readonly rssMb: readonly [early: number, late: number];
  readonly samples: readonly Sample[];
}

const sampleMs = 50;
/** Starting, connecting and compiling are over by then; both sides are measured from there on. */
const warmUpShare = 0.2;
const stuckAfterMs = 60_000;

/** What the program does by default, but for the ports. */
export async function startRelay(
  { servers }: Bench,
  outbox: Outbox,
  prefix: string,
  options: { number?: number; env?: Readonly<Record<string, string>> } = {},
): Promise<Program> {
  return startProgram(servers.directory, 'relay', {
    ...programEnvironment(outbox.url, servers.broker, prefix),
    RELAY_INSTANCE: `relay-${options.number ?? 1}`,
    RELAY_PORT: String(await findFreePort()),
    ...options.env,
  });
}

/** A relay from the bookmark to the end of the outbox. */
export async function drainByRelay(bench: Bench, outbox: Outbox, events: number): Promise<Drained> {
  await outbox.rewind();
  return drain(bench, events, async (prefix) => [await startRelay(bench, outbox, prefix)]);
}

/**
 * The same by several. They share the lanes while there is nothing to do; then the backlog appears, as each notices
 * at its next renewal: hence the short lease.
 */
export async function drainByRelays(
  bench: Bench,
  outbox: Outbox,
  events: number,
  relays: number,
): Promise<Drained> {
  await outbox.markPublished();
  return drain(bench, events, async (prefix) => {
    const env = { RELAY_LEASE_MS: '3000' };
    const numbers = Array.from({ length: relays }, (_, number) => number);
    const programs = await Promise.all(
      numbers.map((number) => startRelay(bench, outbox, prefix, { number, env })),
    );
    await untilShared(outbox, relays);
    await outbox.rewindUnderRelays();
    return programs;
  });
}

async function untilShared(outbox: Outbox, relays: number): Promise<void> {
  for (const deadline = performance.now() + stuckAfterMs; performance.now() < deadline; await sleep(100)) {
    const lanes = await outbox.lanesOfRelays();
    if (lanes.length === relays && lanes.every((count) => count > 0 && count === lanes[0])) return;
  }
  throw new Error(`${relays} relays did not share the lanes within a minute`);
}

/** The same events by kafkajs alone. */
export async function drainByProducer(
  bench: Bench,
  outbox: Outbox,
  events: number,
  after: string,
): Promise<Drained> {
  const { servers } = bench;
  return drain(bench, events, async (prefix) => {
    const env = programEnvironment(outbox.url, servers.broker, prefix);
    return [await startProgram(servers.directory, 'bench/relay/producer/main', env, [after])];
  });
}

async function drain(
  { topics }: Bench,
  events: number,
  start: (prefix: string) => Promise<Program[]>,
): Promise<Drained> {
  const prefix = await topics.create();
  const programs = await start(prefix);
  const stopAll = programs.map((program) => () => program.stop());
  try {
    return await watch(topics, prefix, events, programs);
  } catch (error) {
    // What went wrong is more telling than how the programs end after it.
    await Promise.allSettled(stopAll.splice(0).map((stop) => stop()));
    throw error;
  } finally {
    await Promise.all(stopAll.map((stop) => stop()));
    await topics.remove(prefix);
  }
}

async function watch(
  topics: Topics,
  prefix: string,
  events: number,
  programs: readonly Program[],
): Promise<Drained> {
  const startedAt = performance.now();
  const samples: Sample[] = [];
  let begin: { sample: Sample; figures: Figures } | undefined;
  let early: number | undefined;
  let movedAt = startedAt;
  for (;;) {
    const sample = { events: await topics.size(prefix), atMs: performance.now() - startedAt };
    if (sample.events > (samples.at(-1)?.events ?? 0)) movedAt = performance.now();
    samples.push(sample);
    if (sample.events >= events) break;
    if (performance.now() - movedAt > stuckAfterMs) {
      const printed = programs.map((program) => program.output()).join('\n');
      throw new Error(`Only ${sample.events} of ${events} events came to Kafka:\n${printed}`);
    }
    if (!begin && sample.events >= events * warmUpShare) {
      begin = { sample, figures: await figuresOf(programs) };
    }
    if (!early && sample.events >= events / 4) early = (await figuresOf(programs)).rssMb;
    await sleep(sampleMs);
  }
  const end = { sample: samples.at(-1) ?? { atMs: 0, events: 0 }, figures: await figuresOf(programs) };
  const from = begin ?? {
    sample: samples.find(({ events }) => events > 0) ?? end.sample,
    figures: end.figures,
  };
  const published = end.sample.events - from.sample.events;
  return {
    eventsPerSecond: (published * 1_000) / (end.sample.atMs - from.sample.atMs),
    cpuMicrosPerEvent: ((end.figures.cpuMs - from.figures.cpuMs) * 1_000) / published,
    peakRssMb: end.figures.peakRssMb,
    rssMb: [early ?? end.figures.rssMb, end.figures.rssMb],
    samples,
  };
}

type Figures = ProcessFigures;

async function figuresOf(programs: readonly Program[]): Promise<Figures> {
  const all = await Promise.all(programs.map(({ pid }) => readProcess(pid)));
  const known = all.filter((figures) => figures !== undefined);
  const most = (values: number[]): number => (values.length === 0 ? Number.NaN : Math.max(...values));
  return {
    cpuMs: known.length === 0 ? Number.NaN : known.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
    rssMb: most(known.map(({ rssMb }) => rssMb)),
    peakRssMb: most(known.map(({ peakRssMb }) => peakRssMb)),
  };
}
