import { sleep } from '../../src/shared/sleep';
import { type Bench, startRelay } from './drain';
import type { Outbox } from './outbox';
import { readProcess } from './processFigures';

export interface Idle {
  /** Of one core. */
  readonly cpuPercent: number;
  readonly transactionsPerSecond: number;
  readonly rssMb: number;
}

const settlingMs = 2_000;

/** What a relay costs that has nothing to do. */
export async function measureIdle(bench: Bench, outbox: Outbox, durationMs: number): Promise<Idle> {
  await outbox.markPublished();
  const prefix = await bench.topics.create();
  const relay = await startRelay(bench, outbox, prefix);
  try {
    await relay.line(/took lanes/);
    await sleep(settlingMs);
    const before = { process: await readProcess(relay.pid), transactions: await outbox.transactions() };
    await sleep(durationMs);
    const after = { process: await readProcess(relay.pid), transactions: await outbox.transactions() };
    const cpuMs = (after.process?.cpuMs ?? Number.NaN) - (before.process?.cpuMs ?? Number.NaN);
    return {
      cpuPercent: (cpuMs * 100) / durationMs,
      transactionsPerSecond: ((after.transactions - before.transactions) * 1_000) / durationMs,
      rssMb: after.process?.rssMb ?? Number.NaN,
    };
  } finally {
    await relay.stop();
    await bench.topics.remove(prefix);
  }
}
