/** POST /api/v1/patients with and without capture, one API process for each, without Kafka and without a relay. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { type Load, saturate } from './load';

const clients = 16;

/** Capture engines, and none; each has a database that fits it. */
export const captures = ['none', 'middleware', 'trigger'] as const;
export type Capture = (typeof captures)[number];

export interface CaptureRound {
  readonly databases: Readonly<Record<Capture, string>>;
  readonly rounds: number;
  readonly durationMs: number;
}

/** The loads of each round, by capture. */
export async function measureCapture({
  databases,
  rounds,
  durationMs,
}: CaptureRound): Promise<Record<Capture, Load[]>> {
  const children: ChildProcess[] = [];
  const loads: Record<Capture, Load[]> = { none: [], middleware: [], trigger: [] };
  const ports = new Map<Capture, number>();
  try {
    for (const capture of captures) {
      const child = fork(path.join(__dirname, 'server.js'), [capture, databases[capture]]);
      children.push(child);
      const [port] = (await once(child, 'message')) as [number];
      ports.set(capture, port);
      await saturate(port, clients, durationMs / 2);
    }
    for (let round = 0; round < rounds; round += 1) {
      for (let index = 0; index < captures.length; index += 1) {
        const capture = captures[(round + index) % captures.length] ?? 'none';
        loads[capture].push(await saturate(ports.get(capture) ?? 0, clients, durationMs));
      }
    }
    return loads;
  } finally {
    for (const child of children) if (child.connected) child.disconnect();
  }
}
