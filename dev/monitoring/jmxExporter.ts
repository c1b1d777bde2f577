import { execFile } from 'node:child_process';
import { access, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { findProjectRoot } from '../kafka/projectRoot';

const run = promisify(execFile);
const version = '1.0.1';

/** The jar of the JMX exporter that runs by itself; Maven fetches it into an ignored directory, the first time only. */
export async function fetchJmxExporter(): Promise<string> {
  const directory = path.join(findProjectRoot(__dirname), 'dev/monitoring/target');
  const jar = path.join(directory, `jmx_prometheus_httpserver-${version}.jar`);
  try {
    await access(jar);
  } catch {
    await mkdir(directory, { recursive: true });
    const artifact = `-Dartifact=io.prometheus.jmx:jmx_prometheus_httpserver:${version}`;
    const goal = ['dependency:copy', artifact, `-DoutputDirectory=${directory}`];
    await run('mvn', ['--batch-mode', '--quiet', ...goal], { timeout: 300_000 });
  }
  return jar;
}

/** Flags with which a Java program answers the exporter on 127.0.0.1. */
export function jmxFlags(port: number): string[] {
  const prefix = '-Dcom.sun.management.jmxremote';
  return [
    prefix,
    `${prefix}.port=${port}`,
    `${prefix}.rmi.port=${port}`,
    `${prefix}.host=127.0.0.1`,
    `${prefix}.authenticate=false`,
    `${prefix}.ssl=false`,
    '-Djava.rmi.server.hostname=127.0.0.1',
  ];
}
