import { median } from '../capture/measure';
import { type Capture, captures } from './captureCost';
import type { OutageLoads } from './kafkaOutage';
import type { Load } from './load';

type CaptureLoads = Record<Capture, Load[]>;

/** For people: medians of the rounds, with their spread. */
export function tables({ up, down }: OutageLoads, capture: CaptureLoads): string {
  const outage = [
    ['Kafka up', up],
    ['Kafka down', down],
  ] as const;
  return [
    'POST /patients at 50 requests a second: p50 and p99 in milliseconds',
    ...outage.map(([name, loads]) => {
      const p50 = loads.map((load) => load.p50);
      const p99 = loads.map((load) => load.p99);
      return `  ${name.padEnd(22)}${median(p50).toFixed(2).padStart(8)}${spread(p50)}${median(p99).toFixed(2).padStart(8)}${spread(p99)}`;
    }),
    '',
    'POST /patients, 16 clients: requests per second',
    ...captures.map((name) => {
      const rates = capture[name].map((load) => load.requestsPerSecond);
      const share = ratio(capture[name], capture.none, (load) => load.requestsPerSecond);
      const label = name === 'none' ? 'no capture' : `engine "${name}"`;
      return `  ${label.padEnd(22)}${median(rates).toFixed(0).padStart(8)}${spread(rates)}  ${share.toFixed(2)} of no capture`;
    }),
    '',
  ].join('\n');
}

function spread(values: readonly number[]): string {
  const digits = Math.max(...values) < 100 ? 2 : 0;
  return `(${Math.min(...values).toFixed(digits)} to ${Math.max(...values).toFixed(digits)})`.padStart(20);
}

/** The figures that others read. Of the first, less is better. */
export function figures({ up, down }: OutageLoads, capture: CaptureLoads): Record<string, number> {
  const rate = (load: Load): number => load.requestsPerSecond;
  return {
    create_p99_kafka_down_vs_up: rounded(ratio(down, up, (load) => load.p99)),
    create_vs_no_capture: rounded(ratio(capture.middleware, capture.none, rate)),
    create_vs_no_capture_trigger: rounded(ratio(capture.trigger, capture.none, rate)),
  };
}

const rounded = (value: number): number => Number(value.toFixed(3));

/** The median of the rounds' ratios: two variants of one round had the same weather. */
function ratio(loads: readonly Load[], base: readonly Load[], of: (load: Load) => number): number {
  return median(
    loads.map((load, round) => {
      const other = base[round];
      return other ? of(load) / of(other) : Number.NaN;
    }),
  );
}
