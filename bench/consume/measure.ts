import { fork } from 'node:child_process';
import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import type { Client } from 'pg';
import { sleep } from '../../src/shared/sleep';
import type { VariantOptions } from './variants';

export interface Round extends Pick<VariantOptions, 'databaseUrl' | 'brokers' | 'topicPrefix'> {
  readonly sql: Client;
  /** How many messages the topic holds. */
  readonly messages: number;
  /** Processor time of the variant: on a busy machine it gets as far as on an idle one, only later. */
  readonly cpuMs: number;
}

const sampleMs = 25;
/** Joining the group, connecting and compiling are over after this share of either. */
const warmUpShare = 0.25;
const stuckAfterMs = 180_000;

/** What one variant did in one round. */
export interface Measured {
  readonly messagesPerSecond: number;
  /** Of its process alone, for each message. */
  readonly cpuMicros: number;
}

/** Consumes a topic that is full, into tables that are empty. */
export async function measure(variant: string, round: Round): Promise<Measured> {
  const { sql, databaseUrl, brokers, topicPrefix } = round;
  await sql.query('TRUNCATE audit_log, signalbox.inbox');
  const options = { databaseUrl, brokers, topicPrefix, group: `bench-${randomUUID()}` };
  const child = fork(path.join(__dirname, 'program.js'), [variant, JSON.stringify(options)]);
  const exited = once(child, 'exit');
  const process = { cpuMicros: 0, hasEnded: false };
  child.on('message', ({ user, system }: NodeJS.CpuUsage) => (process.cpuMicros = user + system));
  void exited.then(() => (process.hasEnded = true));
  try {
    return await watch(variant, round, process);
  } finally {
    if (child.connected) child.disconnect();
    await exited;
  }
}

interface Sample {
  readonly rows: number;
  readonly atMs: number;
  readonly cpuMicros: number;
}

async function watch(
  variant: string,
  { sql, messages, cpuMs }: Round,
  process: { readonly cpuMicros: number; readonly hasEnded: boolean },
): Promise<Measured> {
  const startedAt = performance.now();
  let first: Sample | undefined;
  for (;;) {
    const rows = await countRows(sql);
    const sample = { rows, atMs: performance.now(), cpuMicros: process.cpuMicros };
    const progress = Math.max(rows / messages, sample.cpuMicros / (cpuMs * 1_000));
    if (rows > 0 && progress >= warmUpShare) first ??= sample;
    if (first && rows > first.rows && progress >= 1) return between(first, sample);
    if (process.hasEnded) throw new Error(`"${variant}" ended.`);
    if (sample.atMs - startedAt > stuckAfterMs) throw new Error(`"${variant}" is stuck.`);
    await sleep(sampleMs);
  }
}

function between(first: Sample, last: Sample): Measured {
  const rows = last.rows - first.rows;
  return {
    messagesPerSecond: (rows * 1_000) / (last.atMs - first.atMs),
    cpuMicros: (last.cpuMicros - first.cpuMicros) / rows,
  };
}

async function countRows(sql: Client): Promise<number> {
  const { rows } = await sql.query<{ count: string }>('SELECT count(*) FROM audit_log');
  return Number(rows[0]?.count);
}
