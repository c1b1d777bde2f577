/** A real Prometheus on copies of deploy/prometheus whose targets and times are those of a test. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parse, stringify } from 'yaml';
import { findProgram } from '../../../dev/monitoring/debian';
import { deployDirectory, type Rules, readRules } from '../../../dev/monitoring/expressions';
import { findFreePort } from '../../../dev/postgres/ports';
import { type RunningProgram, spawnProcess } from '../../support/process';
import { waitFor } from '../../support/waitFor';

/** Where each job of prometheus.yml is to be found: `host:port`. A job without a target is left out. */
export type Targets = Readonly<Record<string, string>>;

interface Configuration {
  global: Record<string, string>;
  scrape_configs: { job_name: string; static_configs: { targets: string[] }[] }[];
}

export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [time: number, value: string];
}

export class Prometheus {
  constructor(
    readonly url: string,
    private readonly program: RunningProgram,
  ) {}

  /** What an expression yields now. @throws Error with the complaint when Prometheus refuses it */
  async query(expr: string): Promise<Sample[]> {
    const body = new URLSearchParams({ query: expr });
    const answer = (await (
      await fetch(`${this.url}/api/v1/query`, { method: 'POST', body, signal: AbortSignal.timeout(10_000) })
    ).json()) as { status: string; error?: string; data: { result: Sample[] } };
    if (answer.status !== 'success') throw new Error(`${answer.error}: ${expr}`);
    return answer.data.result;
  }

  /** The names of the alerts that fire now. */
  async firing(): Promise<string[]> {
    const found = await this.query('ALERTS{alertstate="firing"}');
    return [...new Set(found.map(({ metric }) => metric['alertname'] ?? ''))].sort();
  }

  /** Waits until all of the alerts fire. */
  async fires(...names: string[]): Promise<void> {
    let firing: string[] = [];
    await waitFor(
      async () => {
        firing = await this.firing();
        return names.every((name) => firing.includes(name));
      },
      {
        what: () => `${names.filter((name) => !firing.includes(name)).join(', ')} to fire`,
        deadlineMs: 120_000,
        intervalMs: 250,
      },
    );
  }

  /** Waits until none of the alerts fires any more; all alerts without a name. */
  async isSilent(...names: string[]): Promise<void> {
    let firing: string[] = [];
    await waitFor(
      async () => {
        firing = (await this.firing()).filter((name) => names.length === 0 || names.includes(name));
        return firing.length === 0;
      },
      { what: () => `${firing.join(', ')} to fall silent`, deadlineMs: 120_000, intervalMs: 250 },
    );
  }

  stop(): Promise<unknown> {
    return this.program.kill('SIGTERM');
  }
}

/** Starts it in a directory of its own. Resolves when it serves queries. */
export async function startPrometheus(directory: string, targets: Targets): Promise<Prometheus> {
  await mkdir(path.join(directory, 'rules'), { recursive: true });
  const text = await readFile(path.join(deployDirectory, 'prometheus/prometheus.yml'), 'utf8');
  const configuration = path.join(directory, 'prometheus.yml');
  await writeFile(configuration, stringify(redirected(parse(text) as Configuration, targets)));
  await writeFile(path.join(directory, 'rules/signalbox.yml'), stringify(hurried(readRules())));
  const address = `127.0.0.1:${await findFreePort()}`;
  const program = await spawnProcess({
    command: await findProgram('prometheus', 'prometheus'),
    args: [
      `--config.file=${configuration}`,
      `--storage.tsdb.path=${path.join(directory, 'data')}`,
      `--web.listen-address=${address}`,
    ],
    cwd: directory,
  });
  await program.waitForLine('Server is ready to receive web requests');
  return new Prometheus(`http://${address}`, program);
}

/** The same jobs, at the test's addresses, asked every second. */
function redirected({ scrape_configs, ...rest }: Configuration, targets: Targets): Configuration {
  return {
    ...rest,
    global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
    scrape_configs: scrape_configs.flatMap((job) => {
      const target = targets[job.job_name];
      return target === undefined ? [] : [{ ...job, static_configs: [{ targets: [target] }] }];
    }),
  };
}

/** What takes minutes in production takes seconds here; every replacement must find what it replaces. */
const shorter: readonly [from: string, to: string][] = [
  ['signalbox:outbox_oldest_seconds:max > 60', 'signalbox:outbox_oldest_seconds:max > 4'],
  ['signalbox:consumer_lag_seconds:max > 60', 'signalbox:consumer_lag_seconds:max > 4'],
  ['signalbox:api_request_seconds:p95_5m > 1', 'signalbox:api_request_seconds:p95_5m > 0.75'],
  ['[5m]', '[10s]'],
  ['[1m]', '[4s]'],
  // Two segments of the log instead of sixty.
  ['> 1e9', '> 2e7'],
];

/** The rules with times and amounts that a test can wait for; the logic stays. */
export function hurried({ groups }: Rules): Rules {
  const unused = new Set(shorter.map(([from]) => from));
  const shorten = (expr: string): string =>
    shorter.reduce((text, [from, to]) => {
      if (text.includes(from)) unused.delete(from);
      return text.replaceAll(from, to);
    }, expr);
  const copy = groups.map(({ name, rules }) => ({
    name,
    rules: rules.map((rule) => ({
      ...rule,
      expr: shorten(rule.expr),
      ...(rule.for === undefined ? {} : { for: '2s' }),
    })),
  }));
  if (unused.size > 0) throw new Error(`The rules have none of: ${[...unused].join(', ')}`);
  return { groups: copy };
}
