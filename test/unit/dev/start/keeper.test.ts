import { Keeper } from '../../../../dev/start/keeper';
import { type Part, PartError, type Run } from '../../../../dev/start/part';
import { captureLogger } from '../../../support/logger';
import { waitFor } from '../../../support/waitFor';

/** A part whose runs the test ends by hand. */
class FakePart implements Part {
  readonly name = 'relay';
  readonly runs: { end: (how: string) => void; stops: number; kills: number }[] = [];
  /** Set, it makes launches fail. */
  broken = false;

  async launch(signal: AbortSignal): Promise<Run> {
    if (this.broken) throw new PartError('relay was not ready within 60 s. It said nothing.');
    if (signal.aborted) throw new PartError('stopped');
    let end: (how: string) => void = () => undefined;
    const ended = new Promise<string>((resolve) => {
      end = resolve;
    });
    const run = { end, stops: 0, kills: 0 };
    this.runs.push(run);
    const stop = async (): Promise<void> => {
      run.stops += 1;
      end('exit code 0');
    };
    return { ended, stop, kill: () => void (run.kills += 1) };
  }
}

const policy = { limit: 3, windowMs: 60_000, initialMs: 1, maxMs: 2 };

function keep(policyOf = policy) {
  const part = new FakePart();
  const log = captureLogger();
  const keeper = new Keeper(part, log.logger, policyOf);
  const messages = (): unknown[] => log.entries().map((entry) => entry['msg']);
  return { part, keeper, messages };
}

const runs = (part: FakePart, count: number): Promise<true> =>
  waitFor(() => part.runs.length === count, { what: `${count} runs` });

describe('a kept part', () => {
  it('is started again when it ends by itself, and lets go of what the dead run held', async () => {
    const { part, keeper, messages } = keep();
    await keeper.start();
    part.runs[0]?.end('killed by SIGKILL');
    await runs(part, 2);
    await waitFor(() => messages().includes('relay is running again'), { what: 'the good news' });
    expect(messages()[0]).toBe('relay ended by itself (killed by SIGKILL)');
    expect(part.runs[0]?.stops).toBe(1);
    await keeper.stop();
    expect(part.runs.map(({ stops }) => stops > 0)).toEqual([true, true]);
  });

  it('is not started again after it was stopped', async () => {
    const { part, keeper, messages } = keep();
    await keeper.start();
    await keeper.stop();
    await keeper.stop();
    expect(part.runs).toHaveLength(1);
    expect(messages()).toEqual([]);
  });

  it('fails for good when it crashes again and again', async () => {
    const { part, keeper } = keep();
    await keeper.start();
    for (let run = 0; run <= policy.limit; run += 1) {
      await runs(part, run + 1);
      part.runs[run]?.end('exit code 1');
    }
    await expect(keeper.failed).rejects.toThrow('relay ended by itself 4 times; giving up');
    await keeper.stop();
    expect(part.runs).toHaveLength(4);
  });

  it('counts a restart that does not get ready as a crash', async () => {
    const { part, keeper, messages } = keep();
    await keeper.start();
    part.broken = true;
    part.runs[0]?.end('exit code 1');
    await expect(keeper.failed).rejects.toThrow('giving up');
    expect(messages()).toContain('relay was not ready within 60 s. It said nothing.');
    await keeper.stop();
  });

  it('does not repeat a first start that failed: its reason must be read', async () => {
    const { part, keeper } = keep();
    part.broken = true;
    await expect(keeper.start()).rejects.toThrow('relay was not ready');
    await keeper.stop();
    expect(part.runs).toHaveLength(0);
  });

  it('can be stopped before it was started, and during the pause before a restart', async () => {
    const { keeper } = keep();
    await keeper.stop();
    const slow = keep({ limit: 3, windowMs: 60_000, initialMs: 600_000, maxMs: 600_000 });
    await slow.keeper.start();
    slow.part.runs[0]?.end('exit code 1');
    await waitFor(() => slow.messages().some((message) => /restarting relay in/.test(String(message))), {
      what: 'the pause',
    });
    await slow.keeper.stop();
    expect(slow.part.runs).toHaveLength(1);
  });

  it('is ended at once when there is no time', async () => {
    const { part, keeper } = keep();
    await keeper.start();
    keeper.kill();
    expect(part.runs[0]?.kills).toBe(1);
    part.runs[0]?.end('killed by SIGKILL');
    await keeper.stop();
    expect(part.runs).toHaveLength(1);
  });
});
