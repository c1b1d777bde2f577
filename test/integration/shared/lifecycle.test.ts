import { findFreePort } from '../../../dev/postgres/ports';
import { spawnSignalbox, type RunningProgram } from '../../support/process';
import { waitFor } from '../../support/waitFor';

/** The relay without Kafka and database is the smallest of our programs: it starts at once and has something to stop. */
async function startProgram(): Promise<RunningProgram> {
  const port = String(await findFreePort());
  const program = await spawnSignalbox('relay', {
    env: {
      KAFKA_ENABLED: 'false',
      DATABASE_URL: 'postgresql://127.0.0.1:1/none',
      RELAY_PORT: port,
      HOST: '127.0.0.1',
    },
  });
  const isAlive = async (): Promise<boolean> => {
    const answer = await fetch(`http://127.0.0.1:${port}/livez`).catch(() => undefined);
    return answer?.ok ?? false;
  };
  await waitFor(isAlive, { what: () => `the relay to be alive; it printed:\n${program.output()}` });
  return program;
}

describe('a program that is asked to stop', () => {
  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('ends with code 0 on %s', async (signal) => {
    const program = await startProgram();
    expect(await program.kill(signal)).toEqual({ code: 0, signal: null });
  });

  it('takes the copy of Ctrl-C that npm passes on for the same Ctrl-C', async () => {
    const program = await startProgram();
    program.signal('SIGINT');
    program.signal('SIGINT');
    expect(await program.exited).toEqual({ code: 0, signal: null });
  });
});
