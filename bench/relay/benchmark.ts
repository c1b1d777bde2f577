/**
 * `npm run bench -- relay`: how fast the relay brings a backlog to Kafka, how soon a single event is there, and what
 * the relay costs. The relay is the program that ships, in a process of its own, with its defaults.
 *
 * Rounds are interleaved: each runs the bare producer and every kind of drain once, so that whatever else the machine
 * does hits all of them; ratios are taken within a round. A backlog is written once; a drain begins by setting the
 * cursors back.
 */
import { writeFile } from 'node:fs/promises';
import { type Bench, drainByRelay, drainByRelays } from './drain';
import { fill, measureDrains } from './drains';
import { measureIdle } from './idle';
import { measureLatency } from './latency';
import { type Plan, planOf, type RelayBenchmarkOptions } from './options';
import { createOutbox } from './outbox';
import { renderSvg } from './plot';
import { progress } from './progress';
import { report } from './report';
import { Results } from './results';
import { startServers } from './servers';
import { Topics } from './topics';

const latencyRates = [200, 2_000];
const relayCounts = [1, 2, 4];

/** Runs the parts asked for; prints tables, and last one JSON object with the figures. */
export async function benchmarkRelay(options: RelayBenchmarkOptions): Promise<void> {
  const plan = planOf(options);
  const servers = await startServers(options.kafka);
  const topics = new Topics(servers.broker);
  const results = new Results();
  const bench: Bench = { servers, topics };
  try {
    await topics.connect();
    if (plan.parts.has('drain')) await measureDrains(bench, plan, results);
    if (plan.parts.has('relays') || plan.parts.has('memory')) await measureBacklog(bench, plan, results);
    if (plan.parts.has('latency') || plan.parts.has('idle')) await measureQuiet(bench, plan, results);
    progress('');
  } finally {
    await topics.disconnect();
    await servers.stop();
  }
  if (options.plot) await writeFile(options.plot, plotOf(results, options.kafka));
  if (!options.json) process.stdout.write(`${report(results)}\n`);
  process.stdout.write(`${JSON.stringify({ name: 'relay', figures: results.figures() })}\n`);
}

/** One large backlog, for one relay's memory and for several relays' speed. */
async function measureBacklog(bench: Bench, plan: Plan, results: Results): Promise<void> {
  const events = plan.backlog;
  const outbox = await createOutbox(bench.servers.postgresUrl, 'backlog');
  progress(`writing ${events} events`);
  await fill(outbox, { keys: 'many', events });
  if (plan.parts.has('memory')) {
    progress(`a backlog of ${events}`);
    results.backlog = { events, drained: await drainByRelay(bench, outbox, events) };
  }
  for (const count of plan.parts.has('relays') ? relayCounts : []) {
    progress(`a backlog of ${events}, relays: ${count}`);
    results.relays.set(count, await drainByRelays(bench, outbox, events, count));
  }
  await outbox.close();
}

async function measureQuiet(bench: Bench, plan: Plan, results: Results): Promise<void> {
  const outbox = await createOutbox(bench.servers.postgresUrl, 'quiet');
  if (plan.parts.has('latency')) {
    for (const perSecond of latencyRates) {
      progress(`latency at ${perSecond} events a second`);
      results.latencies.push(await measureLatency(bench, outbox, perSecond, plan.latencyMs));
    }
  }
  if (plan.parts.has('idle')) {
    progress('an idle relay');
    results.idle = await measureIdle(bench, outbox, plan.idleMs);
  }
  await outbox.close();
}

function plotOf(results: Results, kafka: string): string {
  const drained = [...results.drained].map(([name, rounds]) => ({
    name,
    samples: rounds.at(-1)?.samples ?? [],
  }));
  const backlog = results.backlog
    ? [{ name: 'memory backlog', samples: results.backlog.drained.samples }]
    : [];
  const curves = drained.length > 0 ? drained : backlog;
  return renderSvg(`Relay: events per second over the time of one drain (${kafka} broker)`, curves);
}
