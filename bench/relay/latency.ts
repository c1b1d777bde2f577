/** How long an event takes from its commit to a consumer, at a steady rate of writes. */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Pool } from 'pg';
import { appendEvents } from '../../src/outbox/append';
import { Nudger } from '../../src/outbox/nudger';
import { sleep } from '../../src/shared/sleep';
import { type Bench, startRelay } from './drain';
import { programEnvironment } from './environment';
import { eventTypesUsed, type Outbox } from './outbox';
import { logger } from './servers';
import { startProgram } from './programs';

export interface Latency {
  readonly perSecond: number;
  readonly events: number;
  /** From the answer to the commit, in milliseconds. */
  readonly p50: number;
  readonly p99: number;
  /** From before the statement was sent. */
  readonly fromInsert: { readonly p50: number; readonly p99: number };
}

/** As an API does it: connections of its own, one transaction for each event, a wake-up after each commit. */
const writers = 16;
const nudgeIntervalMs = 5;
const tickMs = 1;
/** Connections, plans and code are warm by then. */
const warmUpMs = 1_500;

interface Written {
  readonly insertedAtMs: number;
  readonly committedAtMs: number;
}

export async function measureLatency(
  bench: Bench,
  outbox: Outbox,
  perSecond: number,
  durationMs: number,
): Promise<Latency> {
  const { servers, topics } = bench;
  // What an earlier measurement wrote is published; the next one counts from there.
  await outbox.markPublished();
  await outbox.bookmark();
  const prefix = await topics.create();
  const relay = await startRelay(bench, outbox, prefix);
  const file = join(servers.directory, `${prefix}.json`);
  const env = programEnvironment(outbox.url, servers.broker, prefix);
  const consumer = await startProgram(servers.directory, 'bench/relay/consumer/main', env, [file]);
  await Promise.all([relay.line(/took lanes/), consumer.line(/assigned/)]);
  await write(outbox, perSecond, warmUpMs);
  const written = await write(outbox, perSecond, durationMs);
  await untilPublished(bench, prefix, await outbox.waiting());
  await sleep(500);
  await consumer.stop();
  await relay.stop();
  const received = await receivedBy(file);
  await topics.remove(prefix);
  return evaluate(perSecond, written, received);
}

async function write(outbox: Outbox, perSecond: number, durationMs: number): Promise<Map<string, Written>> {
  const pool = new Pool({ connectionString: outbox.url, max: writers });
  const nudger = new Nudger({ databaseUrl: outbox.url, intervalMs: nudgeIntervalMs, logger });
  await nudger.start();
  const written = new Map<string, Written>();
  const under: Promise<void>[] = [];
  const startedAt = now();
  for (let begun = 0; now() - startedAt < durationMs;) {
    const due = Math.floor(((now() - startedAt) / 1_000) * perSecond);
    for (; begun < due; begun += 1) under.push(writeOne(pool, nudger, written, begun));
    await sleep(tickMs);
  }
  await Promise.all(under);
  await nudger.stop();
  await pool.end();
  return written;
}

async function writeOne(
  pool: Pool,
  nudger: Nudger,
  written: Map<string, Written>,
  number: number,
): Promise<void> {
  const eventType = eventTypesUsed[number % eventTypesUsed.length] ?? 'patient.created';
  const aggregateId = randomUUID();
  const event = {
    eventType,
    version: '1.0',
    aggregateType: eventType.startsWith('patient') ? 'patient' : 'appointment',
    aggregateId,
    data: dataOf(eventType, aggregateId),
  };
  const insertedAtMs = now();
  const [eventId = ''] = await appendEvents((sql, parameters) => pool.query(sql, [...parameters]), [event], {
    source: 'healthcore-api',
    context: { correlationId: randomUUID(), actor: 'user:4711' },
  });
  nudger.nudge();
  written.set(eventId, { insertedAtMs, committedAtMs: now() });
}

/** What the catalogue promises of the event type: the relay parks anything else. */
function dataOf(eventType: string, id: string): Record<string, unknown> {
  if (eventType.startsWith('patient')) {
    const patient = { patient_id: id, name: 'Bench Patient', email: `${id}@example.com`, phone: null };
    return eventType === 'patient.updated' ? { ...patient, changed_fields: ['phone'] } : patient;
  }
  const [from, to] = ['2026-01-05T19:00:00.000Z', '2026-01-05T19:30:00.000Z'];
  const names = { appointment_id: id, patient_id: id, practitioner: 'Dr Bench' };
  const booked = { ...names, starts_at: from, ends_at: to, status: 'BOOKED' };
  return eventType === 'appointment.rescheduled'
    ? { ...booked, previous_starts_at: to, previous_ends_at: to }
    : booked;
}

async function untilPublished({ topics }: Bench, prefix: string, events: number): Promise<void> {
  for (const deadline = now() + 60_000; (await topics.size(prefix)) < events;) {
    if (now() > deadline) throw new Error('The events did not come to Kafka within a minute');
    await sleep(50);
  }
}

/** The clock of all processes of a machine. */
const now = (): number => performance.timeOrigin + performance.now();

async function receivedBy(file: string): Promise<Map<string, number>> {
  const entries = JSON.parse(await readFile(file, 'utf8')) as [string, number][];
  const first = new Map<string, number>();
  for (const [eventId, atMs] of entries) if (!first.has(eventId)) first.set(eventId, atMs);
  return first;
}

function evaluate(
  perSecond: number,
  written: ReadonlyMap<string, Written>,
  received: ReadonlyMap<string, number>,
): Latency {
  const fromCommit: number[] = [];
  const fromInsert: number[] = [];
  for (const [eventId, { committedAtMs, insertedAtMs }] of written) {
    const receivedAtMs = received.get(eventId);
    if (receivedAtMs === undefined) throw new Error(`The event ${eventId} never came to the consumer`);
    // An event may be there before its writer has heard of the commit.
    fromCommit.push(Math.max(0, receivedAtMs - committedAtMs));
    fromInsert.push(receivedAtMs - insertedAtMs);
  }
  const percentiles = (values: number[]): { p50: number; p99: number } => ({
    p50: percentile(values, 0.5),
    p99: percentile(values, 0.99),
  });
  return { perSecond, events: written.size, ...percentiles(fromCommit), fromInsert: percentiles(fromInsert) };
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
