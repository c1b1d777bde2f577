import { get } from 'node:http';
import { connect } from 'node:net';

/** How to see that a part is ready: an HTTP status of 200, an open port, or something that it prints. */
export type Readiness =
  { readonly url: string } | { readonly port: number; readonly host: string } | { readonly line: RegExp };

/** What a program has printed: its last lines, and whether one of all its lines matched. */
export interface Printed {
  readonly lines: string[];
  matched: boolean;
}

const patienceMs = 2_000;

/** Whether it is ready now. */
export async function isReady(readiness: Readiness, printed: Printed): Promise<boolean> {
  if ('line' in readiness) return printed.matched;
  return 'url' in readiness ? answersOk(readiness.url) : accepts(readiness.port, readiness.host);
}

function answersOk(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(url, { timeout: patienceMs, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(false));
    request.on('close', () => resolve(false));
  });
}

function accepts(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host, timeout: patienceMs });
    const settle = (open: boolean): void => {
      socket.destroy();
      resolve(open);
    };
    socket.once('connect', () => settle(true));
    socket.once('timeout', () => settle(false));
    socket.once('error', () => settle(false));
  });
}
