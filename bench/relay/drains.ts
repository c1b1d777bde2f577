/** The kinds of drain, round after round. */
import { type Bench, drainByProducer, drainByRelay, type Drained } from './drain';
import type { Plan } from './options';
import { createOutbox, type Keys, type Outbox } from './outbox';
import { progress } from './progress';
import type { DrainName, Results } from './results';

interface Case {
  readonly name: DrainName;
  readonly run: () => Promise<Drained>;
}

/** An outbox with a backlog of events behind published ones. */
export async function fill(
  outbox: Outbox,
  { keys, events, history = 0 }: { keys: Keys; events: number; history?: number },
): Promise<{ after: string }> {
  await outbox.append('many', history);
  const after = await outbox.markPublished();
  await outbox.bookmark();
  await outbox.append(keys, events);
  await outbox.settleDown();
  return { after };
}

export async function measureDrains(bench: Bench, plan: Plan, results: Results): Promise<void> {
  const { events } = plan;
  const create = (name: string): Promise<Outbox> => createOutbox(bench.servers.postgresUrl, name);
  const many = await create('many');
  const ten = await create('ten');
  const one = await create('one');
  const hot = await create('hot');
  const old = await create('old');
  progress(`writing ${events} events five times, once behind ${plan.history} published ones`);
  const { after } = await fill(many, { keys: 'many', events });
  await fill(ten, { keys: 'ten', events });
  await fill(one, { keys: 'one', events });
  await fill(hot, { keys: 'hot', events });
  await fill(old, { keys: 'many', events, history: plan.history });
  const relay = (outbox: Outbox): Promise<Drained> => drainByRelay(bench, outbox, events);
  await inRounds(plan.rounds, results, [
    { name: 'producer', run: () => drainByProducer(bench, many, events, after) },
    { name: 'many keys', run: () => relay(many) },
    { name: '10 keys', run: () => relay(ten) },
    { name: '1 key', run: () => relay(one) },
    { name: 'hot key', run: () => relay(hot) },
    { name: 'held transaction', run: () => whileHeld(many, () => relay(many)) },
    { name: 'after history', run: () => relay(old) },
  ]);
  for (const outbox of [many, ten, one, hot, old]) await outbox.close();
}

/** Each round begins with another case: whoever comes first meets the colder machine. */
async function inRounds(rounds: number, results: Results, cases: readonly Case[]): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    const first = round % cases.length;
    for (const { name, run } of [...cases.slice(first), ...cases.slice(0, first)]) {
      progress(`round ${round + 1} of ${rounds}: ${name}`);
      results.add(name, await run());
    }
  }
}

async function whileHeld<T>(outbox: Outbox, work: () => Promise<T>): Promise<T> {
  const letGo = await outbox.hold();
  try {
    return await work();
  } finally {
    await letGo();
  }
}
