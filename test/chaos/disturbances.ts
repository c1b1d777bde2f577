/*
 * What can go wrong. A disturbance takes what it needs, does its harm, waits, and puts everything right again; `healed`
 * cuts the wait short when the storm is over.
 */
import type { Random } from './random';
import type { Link, World } from './world/world';
import { leaseMs } from './world/world';
import type { Unit } from './world/unit';

export interface Disturbance {
  /** For the report. */
  readonly name: string;
  readonly weight: number;
  /** Begins, if what it needs is free: resolves when all is right again. */
  readonly begin: (world: World, random: Random, wait: Wait) => Promise<void> | undefined;
}

/** Waits that long, or until the storm is over. */
export type Wait = (ms: number) => Promise<void>;

type Busy = { isBusy: boolean };

/** What has just been started is left alone for a while: a storm that it never gets to work in shows nothing. */
const rest = {
  program: (random: Random, wait: Wait) => wait(random.between(2_000, 6_000)),
  server: (random: Random, wait: Wait) => wait(random.between(2_000, 6_000)),
};

/** Nobody else touches it meanwhile. */
async function hold<T extends Busy>(it: T, work: (it: T) => Promise<void>): Promise<void> {
  it.isBusy = true;
  try {
    await work(it);
  } finally {
    it.isBusy = false;
  }
}

const free = <T extends Busy>(list: readonly T[], random: Random): T | undefined => {
  const candidates = list.filter(({ isBusy }) => !isBusy);
  return candidates.length > 0 ? random.pick(candidates) : undefined;
};

type Group = 'relays' | 'consumers' | 'writers';

const onUnit =
  (group: Group, harm: (unit: Unit, random: Random, wait: Wait) => Promise<void>): Disturbance['begin'] =>
  (world, random, wait) => {
    const unit = free(world[group], random);
    return unit && hold(unit, () => harm(unit, random, wait));
  };

const kill = async (unit: Unit, random: Random, wait: Wait): Promise<void> => {
  await unit.kill();
  await wait(random.between(0, 1_500));
  await unit.start();
  await rest.program(random, wait);
};

const stop = async (unit: Unit, random: Random, wait: Wait): Promise<void> => {
  await unit.stop();
  await wait(random.between(0, 1_000));
  await unit.start();
  await rest.program(random, wait);
};

const pause =
  (minMs: number, maxMs: number) =>
  async (unit: Unit, random: Random, wait: Wait): Promise<void> => {
    unit.pause();
    await wait(random.between(minMs, maxMs));
    unit.resume();
  };

const onLink =
  (harm: (link: Link, random: Random, wait: Wait) => Promise<void>): Disturbance['begin'] =>
  (world, random, wait) => {
    const link = free(world.links, random);
    return link && hold(link, () => harm(link, random, wait));
  };

/** Servers are down one at a time at most: while both are, nothing happens that could go wrong. */
const serverDown: Busy = { isBusy: false };

const onServer =
  (harm: (world: World, random: Random, wait: Wait) => Promise<void>): Disturbance['begin'] =>
  (world, random, wait) =>
    serverDown.isBusy
      ? undefined
      : hold(serverDown, async () => {
          await harm(world, random, wait);
          await rest.server(random, wait);
        });

/** By weight, as the report lists them. */
export const disturbances: readonly Disturbance[] = [
  { name: 'relay killed', weight: 14, begin: onUnit('relays', kill) },
  { name: 'relay stopped and started', weight: 4, begin: onUnit('relays', stop) },
  {
    name: 'relay paused past its lease',
    weight: 7,
    begin: onUnit('relays', pause(leaseMs + 200, leaseMs * 3)),
  },
  { name: 'consumer killed', weight: 5, begin: onUnit('consumers', kill) },
  { name: 'consumer stopped and started', weight: 2, begin: onUnit('consumers', stop) },
  { name: 'consumer paused past its session', weight: 2, begin: onUnit('consumers', pause(6_500, 9_000)) },
  { name: 'writer killed', weight: 5, begin: onUnit('writers', kill) },
  { name: 'writer paused in mid-transaction', weight: 3, begin: onUnit('writers', pause(200, 3_000)) },
  {
    name: 'broker killed and restarted',
    weight: 4,
    begin: onServer(async ({ broker }, random, wait) => {
      await broker.kill();
      await wait(random.between(0, 3_000));
      await broker.restart();
    }),
  },
  {
    name: 'database shut down at once and restarted',
    weight: 3,
    begin: onServer(async ({ database }, random, wait) => {
      await database.crash();
      await wait(random.between(0, 2_000));
      await database.restart();
    }),
  },
  {
    name: 'database backend killed',
    weight: 3,
    begin: onServer(async ({ database }, random) =>
      database
        .killBackend(random.pick(['signalbox-relay', 'chaos-consumer', 'chaos-writer']))
        // It may be in the middle of recovering from the last one.
        .catch(() => undefined),
    ),
  },
  { name: 'connections cut', weight: 12, begin: onLink(async ({ proxy }) => proxy.cut()) },
  {
    name: 'connections refused',
    weight: 4,
    begin: onLink(async ({ proxy }, random, wait) => {
      proxy.refuse();
      proxy.cut();
      await wait(random.between(100, 2_500));
      proxy.accept();
    }),
  },
  {
    name: 'network silent',
    weight: 5,
    begin: onLink(async ({ proxy }, random, wait) => {
      proxy.pause();
      await wait(random.between(300, 5_000));
      proxy.resume();
    }),
  },
  {
    name: 'network slow',
    weight: 4,
    begin: onLink(async ({ proxy }, random, wait) => {
      proxy.delay(random.between(10, 150));
      await wait(random.between(500, 4_000));
      proxy.delay(0);
    }),
  },
];
