/** The parts of the benchmark, in the order in which they run. */
export const parts = ['drain', 'relays', 'memory', 'latency', 'idle'] as const;
export type Part = (typeof parts)[number];

export interface RelayBenchmarkOptions {
  /** Small: shows that it runs, not how fast. */
  readonly quick?: boolean;
  /** Large: a backlog and a history of five million. */
  readonly full?: boolean;
  /** Nothing but the figures, as one line of JSON. */
  readonly json?: boolean;
  readonly kafka: 'dev' | 'real';
  /** Drains of each kind, of which the median is taken. */
  readonly rounds?: number;
  /** Events of one drain and of the backlog, instead of the usual numbers. */
  readonly events?: number;
  /** Where to write throughput over time as an SVG. */
  readonly plot?: string;
  readonly only?: readonly Part[];
}

/** How much of everything. */
export interface Plan {
  readonly rounds: number;
  /** Events of one drain. */
  readonly events: number;
  /** Published rows behind which one kind of drain begins. */
  readonly history: number;
  /** Events over which the memory is watched, and which several relays share. */
  readonly backlog: number;
  readonly latencyMs: number;
  readonly idleMs: number;
  readonly parts: ReadonlySet<Part>;
}

const quick = { rounds: 1, events: 6_000, history: 20_000, backlog: 15_000, latencyMs: 2_000, idleMs: 2_000 };
const usual = {
  rounds: 5,
  events: 100_000,
  history: 500_000,
  backlog: 300_000,
  latencyMs: 15_000,
  idleMs: 20_000,
};
const full = { ...usual, history: 5_000_000, backlog: 5_000_000, latencyMs: 30_000, idleMs: 60_000 };

export function planOf(options: RelayBenchmarkOptions): Plan {
  const sizes = options.quick ? quick : options.full ? full : usual;
  const { rounds = sizes.rounds, events = sizes.events } = options;
  const backlog = options.events ?? sizes.backlog;
  return { ...sizes, rounds, events, backlog, parts: new Set(options.only ?? parts) };
}
