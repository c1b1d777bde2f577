import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import { sleep } from '../../src/shared/sleep';

/** Latencies of POST /api/v1/patients, in milliseconds. */
export interface Load {
  readonly requestsPerSecond: number;
  readonly p50: number;
  readonly p99: number;
}

/** As fast as so many clients get their answers. */
export async function saturate(port: number, clients: number, durationMs: number): Promise<Load> {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const latencies: number[] = [];
  const started = performance.now();
  const client = async (): Promise<void> => {
    while (performance.now() - started < durationMs) latencies.push(await post(agent, port));
  };
  await Promise.all(Array.from({ length: clients }, client));
  agent.destroy();
  return summary(latencies, performance.now() - started);
}

/** At a steady rate, whether or not earlier requests have been answered; latency counts from the due time. */
export async function atRate(port: number, perSecond: number, durationMs: number): Promise<Load> {
  const agent = new Agent({ keepAlive: true });
  const pending: Promise<number>[] = [];
  const started = performance.now();
  for (let dueMs = 0; dueMs < durationMs; dueMs += 1_000 / perSecond) {
    const late = performance.now() - started - dueMs;
    if (late < 0) await sleep(-late);
    pending.push(post(agent, port));
  }
  const latencies = await Promise.all(pending);
  agent.destroy();
  return summary(latencies, performance.now() - started);
}

function summary(latencies: readonly number[], durationMs: number): Load {
  const sorted = [...latencies].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
  return { requestsPerSecond: (sorted.length * 1_000) / durationMs, p50: at(0.5), p99: at(0.99) };
}

function post(agent: Agent, port: number): Promise<number> {
  const body = JSON.stringify({
    name: 'Bench Patient',
    email: `${randomUUID()}@example.com`,
    phone: '+49 30 1',
  });
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        agent,
        port,
        host: '127.0.0.1',
        method: 'POST',
        path: '/api/v1/patients',
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
      },
      (response) => {
        response.resume();
        response.once('end', () => {
          if (response.statusCode === 201) resolve(performance.now() - started);
          else reject(new Error(`POST /api/v1/patients answered ${response.statusCode}`));
        });
      },
    );
    sent.once('error', reject);
    sent.end(body);
  });
}
