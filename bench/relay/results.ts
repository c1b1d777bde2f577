/** What was measured, and what follows from it. */
import { median } from '../capture/measure';
import type { Drained } from './drain';
import type { Idle } from './idle';
import type { Latency } from './latency';

export const drains = [
  'producer',
  'many keys',
  '10 keys',
  '1 key',
  'hot key',
  'held transaction',
  'after history',
] as const;
export type DrainName = (typeof drains)[number];

export class Results {
  readonly drained = new Map<DrainName, Drained[]>();
  readonly relays = new Map<number, Drained>();
  readonly latencies: Latency[] = [];
  backlog: { readonly events: number; readonly drained: Drained } | undefined;
  idle: Idle | undefined;

  add(name: DrainName, drained: Drained): void {
    this.drained.set(name, [...(this.drained.get(name) ?? []), drained]);
  }

  rates(name: DrainName): number[] {
    return (this.drained.get(name) ?? []).map(({ eventsPerSecond }) => eventsPerSecond);
  }

  /** The median of the rounds' ratios: what ran in one round had the same weather. */
  ratio(name: DrainName, baseline: DrainName): number {
    const base = this.rates(baseline);
    return median(this.rates(name).map((rate, round) => rate / (base[round] ?? Number.NaN)));
  }

  /** The figures that others read; what was not measured is left out. */
  figures(): Record<string, number> {
    const all = [...this.drained.values()].flat();
    const peaks = [...all, ...(this.backlog ? [this.backlog.drained] : [])];
    const slow = this.latencies.find(({ perSecond }) => perSecond === 200);
    const wanted: Record<string, [value: number | undefined, digits: number]> = {
      drain_events_per_s: [median(this.rates('many keys')), 0],
      drain_vs_producer: [this.ratio('many keys', 'producer'), 3],
      ten_keys_vs_many: [this.ratio('10 keys', 'many keys'), 3],
      one_key_vs_many: [this.ratio('1 key', 'many keys'), 3],
      hot_key_vs_many: [this.ratio('hot key', 'many keys'), 3],
      held_transaction_vs_free: [this.ratio('held transaction', 'many keys'), 3],
      after_history_vs_empty: [this.ratio('after history', 'many keys'), 3],
      latency_p50_ms: [slow?.p50, 2],
      latency_p99_ms: [slow?.p99, 2],
      idle_cpu_percent: [this.idle?.cpuPercent, 2],
      peak_rss_mb: [
        peaks.length === 0 ? undefined : (this.backlog?.drained.peakRssMb ?? peaks.at(-1)?.peakRssMb),
        0,
      ],
    };
    return Object.fromEntries(
      Object.entries(wanted).flatMap(([key, [value, digits]]) =>
        value === undefined || Number.isNaN(value) ? [] : [[key, Number(value.toFixed(digits))]],
      ),
    );
  }
}
