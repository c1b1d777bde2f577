/*
 * `ops doctor`: looks at everything that events pass through, and says what to do.
 *
 * It changes nothing, and it ends: every look has a deadline, and what depends on a server that does not answer is left
 * out rather than waited for.
 */
import { UserError } from '../../shared/lifecycle';
import type { Tools } from '../command';
import { exitCodes } from '../exitCodes';
import { report } from '../output/report';
import { configurationCheck } from './configuration';
import { type Finding, runChecks } from './finding';
import { lookAtDatabase, openDatabase } from './lookAtDatabase';
import { lookAtKafka } from './lookAtKafka';

export interface DoctorOptions {
  readonly maxAge: string;
  readonly maxLag: string;
  readonly strict?: boolean;
  readonly json?: boolean;
}

/** Exit code 0 when nothing has failed, 1 otherwise; with `strict`, warnings count too. */
export async function doctor(tools: Tools, options: DoctorOptions): Promise<number> {
  const { strict = false, json = false } = options;
  const maxAgeSeconds = Number(wholeNumber('--max-age', options.maxAge));
  const maxLag = BigInt(wholeNumber('--max-lag', options.maxLag));
  const configuration = await runChecks([configurationCheck(tools.environment, tools.variables)]);
  const database = await openDatabase(tools);
  const servers = await Promise.all([
    lookAtDatabase(tools, database, maxAgeSeconds),
    lookAtKafka(tools, database, maxLag),
  ]);
  // A connection that hangs must not hold us; the program ends right after.
  void database.close();
  const findings = [...configuration, ...servers.flat()];
  const healthy = findings.every(({ status }) => status === 'ok' || (status === 'warn' && !strict));
  report(tools.stdout, json, { data: { healthy, findings }, text: textOf(findings) });
  return healthy ? exitCodes.ok : exitCodes.failed;
}

function wholeNumber(option: string, text: string): string {
  if (/^\d{1,9}$/.test(text)) return text;
  throw new UserError(`${option} "${text}" is not a number. Give a whole number from 0 on.`);
}

function textOf(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ check }) => check.length));
  const lines = findings.flatMap(({ status, check, detail, remedy }) => [
    `${status.padEnd(4)}  ${check.padEnd(width)}  ${detail}`,
    ...(remedy === undefined ? [] : [`${' '.repeat(width + 8)}${remedy}`]),
  ]);
  const count = (wanted: Finding['status']): number =>
    findings.filter(({ status }) => status === wanted).length;
  return [...lines, `${count('ok')} ok, ${count('warn')} to look at, ${count('fail')} failed`].join('\n');
}
