import { median } from '../capture/measure';
import { sparkline } from './plot';
import { drains, type Results } from './results';

const whole = (value: number): string => (Number.isNaN(value) ? '-' : Math.round(value).toLocaleString('en'));

/** Tables for people. */
export function report(results: Results): string {
  return [
    drainTable(results),
    relaysTable(results),
    memoryTable(results),
    latencyTable(results),
    idleLine(results),
  ]
    .filter((section) => section.length > 0)
    .map((section) => `${section.join('\n')}\n`)
    .join('\n');
}

function drainTable(results: Results): string[] {
  const rows = drains.flatMap((name) => {
    const drained = results.drained.get(name);
    if (!drained) return [];
    const rates = results.rates(name);
    const spread = `${whole(Math.min(...rates))} to ${whole(Math.max(...rates))}`;
    const cpu = median(drained.map(({ cpuMicrosPerEvent }) => cpuMicrosPerEvent));
    const baseline = name === 'producer' ? undefined : name === 'many keys' ? 'producer' : 'many keys';
    const share = baseline
      ? `${results.ratio(name, baseline).toFixed(2)} of ${baseline}`
      : 'kafkajs by itself';
    const columns = [
      name.padEnd(18),
      whole(median(rates)).padStart(8),
      spread.padStart(18),
      cpu.toFixed(1).padStart(8),
      whole(Math.max(...drained.map(({ peakRssMb }) => peakRssMb))).padStart(6),
      `  ${share.padEnd(20)}`,
      sparkline(drained.at(-1)?.samples ?? []),
    ];
    return [`  ${columns.join(' ')}`];
  });
  if (rows.length === 0) return [];
  const head = `  ${'a backlog by'.padEnd(18)} ${'events/s'.padStart(8)} ${'of all rounds'.padStart(18)} ${'µs CPU'.padStart(8)} ${'MB'.padStart(6)}   ${'median ratio'.padEnd(20)} over time`;
  return ['Drain: a backlog to Kafka, events per second, median of the rounds', head, ...rows];
}

function relaysTable({ relays }: Results): string[] {
  if (relays.size === 0) return [];
  const one = relays.get(1)?.eventsPerSecond ?? Number.NaN;
  const rows = [...relays].map(([count, { eventsPerSecond, cpuMicrosPerEvent }]) => {
    const share = `${(eventsPerSecond / one).toFixed(2)} of one`;
    return `  ${String(count).padEnd(18)} ${whole(eventsPerSecond).padStart(8)} ${cpuMicrosPerEvent.toFixed(1).padStart(8)} µs CPU  ${share}`;
  });
  return ['Several relays on one backlog, events per second together', ...rows];
}

function memoryTable({ backlog }: Results): string[] {
  if (!backlog) return [];
  const { rssMb, peakRssMb } = backlog.drained;
  const [early, late] = rssMb.map(whole);
  return [
    `Memory of the relay over a backlog of ${whole(backlog.events)}`,
    `  resident ${early} MB at a quarter, ${late} MB at the end, at most ${whole(peakRssMb)} MB`,
  ];
}

function latencyTable({ latencies }: Results): string[] {
  if (latencies.length === 0) return [];
  const row = (cells: readonly string[]): string => `  ${cells.map((cell) => cell.padStart(16)).join('')}`;
  const rows = latencies.map(({ perSecond, events, p50, p99, fromInsert }) =>
    row([
      whole(perSecond),
      whole(events),
      ...[p50, p99, fromInsert.p50, fromInsert.p99].map((value) => value.toFixed(1)),
    ]),
  );
  return [
    'Latency to a consumer, in milliseconds',
    row(['events/s', 'events', 'commit p50', 'commit p99', 'insert p50', 'insert p99']),
    ...rows,
  ];
}

function idleLine({ idle }: Results): string[] {
  if (!idle) return [];
  const { cpuPercent, transactionsPerSecond, rssMb } = idle;
  return [
    'An idle relay',
    `  ${cpuPercent.toFixed(2)} % of a core, ${transactionsPerSecond.toFixed(1)} transactions/s in Postgres, ${whole(rssMb)} MB`,
  ];
}
