/** The dev broker as a program. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningProgram, spawnProgram } from '../../support/process';

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'signalbox-broker-'));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

const start = (port: number | string, env: Record<string, string> = {}, directory = dataDir) =>
  spawnProgram('dev/broker/main', { args: ['--port', String(port), '--data-dir', directory], env });
async function listening(program: RunningProgram): Promise<number> {
  const line = await program.waitForLine('the dev broker is listening');
  return (JSON.parse(line) as { port: number }).port;
}
const linesOf = (program: RunningProgram): string[] => program.lines().filter((line) => line !== '');

it.each(['SIGTERM', 'SIGINT'] as const)('says that it listens, and stops cleanly on %s', async (signal) => {
  const program = await start(0);
  await listening(program);
  expect(linesOf(program)).toHaveLength(1);
  expect(await program.kill(signal)).toEqual({ code: 0, signal: null });
});

it('ends with one line that names the port when it is taken', async () => {
  const first = await start(0);
  const port = await listening(first);
  const second = await start(port, {}, join(dataDir, 'other'));
  expect(await second.exited).toEqual({ code: 1, signal: null });
  expect(linesOf(second)).toHaveLength(1);
  expect(second.output()).toContain(`Port ${port} on 127.0.0.1 is taken`);
});

it('ends with one line when another broker uses the directory', async () => {
  const first = await start(0);
  await listening(first);
  const second = await start(0);
  expect(await second.exited).toMatchObject({ code: 1 });
  expect(linesOf(second)).toHaveLength(1);
  expect(second.output()).toContain(`Process ${first.pid} already runs a dev broker`);
});

it('is refused in production, with one line', async () => {
  const program = await start(0, { NODE_ENV: 'production' });
  expect(await program.exited).toMatchObject({ code: 1 });
  expect(linesOf(program)).toHaveLength(1);
  expect(program.output()).toContain('does not run with NODE_ENV=production');
});

it('explains its options, and refuses a port that is none', async () => {
  const help = await spawnProgram('dev/broker/main', { args: ['--help'] });
  expect(await help.exited).toMatchObject({ code: 0 });
  expect(help.output()).toContain('--data-dir');
  const wrong = await start('kafka');
  expect(await wrong.exited).toMatchObject({ code: 1 });
  expect(wrong.output()).toContain('It must be a number from 0 to 65535.');
});
