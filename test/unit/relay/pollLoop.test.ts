import { UserError } from '../../../src/shared/lifecycle';
import { type Cause, PollLoop, type PollLoopOptions } from '../../../src/shared/pollLoop';
import { waitFor } from '../../support/waitFor';

const loops: PollLoop[] = [];

afterEach(async () => {
  for (const loop of loops.splice(0)) await loop.stop();
});

function loopOf(options: Partial<PollLoopOptions>): PollLoop {
  const loop = new PollLoop({
    name: 'test',
    intervalMs: 60_000,
    backoff: { initialMs: 1, maxMs: 2 },
    run: async () => false,
    onError: () => undefined,
    ...options,
  });
  loops.push(loop);
  return loop;
}

test('it runs at once when there is more, and when it is woken', async () => {
  const causes: Cause[] = [];
  const loop = loopOf({
    run: async (cause) => {
      causes.push(cause);
      return causes.length < 3;
    },
  });
  await loop.start();
  await waitFor(() => causes.length === 3, { what: 'three runs' });
  loop.wake();
  await waitFor(() => causes.length === 4, { what: 'the fourth' });
  expect(causes).toEqual(['poll', 'more', 'more', 'woken']);
});

test('a wake-up during a run is not lost', async () => {
  let runs = 0;
  const loop = loopOf({
    run: async () => {
      runs += 1;
      if (runs === 1) loop.wake();
      return false;
    },
  });
  await loop.start();
  await waitFor(() => runs === 2, { what: 'the second run' });
});

test('it runs when the interval is over', async () => {
  let runs = 0;
  const loop = loopOf({
    intervalMs: 1,
    run: async () => {
      runs += 1;
      return false;
    },
  });
  await loop.start();
  await waitFor(() => runs > 3, { what: 'some runs' });
});

test('a failed run is repeated, counted until one succeeds', async () => {
  const attempts: number[] = [];
  let runs = 0;
  const loop = loopOf({
    run: async () => {
      runs += 1;
      if (runs <= 3 || runs === 5) throw new Error('away');
      return runs === 4;
    },
    onError: (_error, attempt) => attempts.push(attempt),
  });
  await loop.start();
  await waitFor(() => runs === 6, { what: 'six runs' });
  expect(attempts).toEqual([1, 2, 3, 1]);
});

test('an error that only an operator can mend ends it', async () => {
  const loop = loopOf({ run: () => Promise.reject(new UserError('wrong password')) });
  await loop.start();
  await expect(loop.failed).rejects.toThrow('wrong password');
});

test('stop before start, twice, and start again are harmless; stop waits for the run in hand', async () => {
  let running = 0;
  const loop = loopOf({
    run: async () => {
      running += 1;
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      return true;
    },
  });
  await loop.stop();
  await loop.start();
  await loop.start();
  await loop.stop();
  expect(running).toBe(0);
  await loop.stop();
  await loop.start();
  await waitFor(() => running === 1, { what: 'it to run again', intervalMs: 0 });
});
