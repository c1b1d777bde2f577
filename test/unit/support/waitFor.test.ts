import { waitFor, within } from '../../support/waitFor';

describe('waitFor', () => {
  it('returns what the condition yields in the end', async () => {
    const answers = [false, undefined, null, 0];
    await expect(waitFor(async () => answers.shift(), { what: 'a number' })).resolves.toBe(0);
  });

  it('says after the deadline what it waited for', async () => {
    const never = waitFor(() => false, { what: 'rain', deadlineMs: 60, intervalMs: 5 });
    await expect(never).rejects.toThrow(/^Waited 0\.\d s in vain for rain\.$/);
  });

  it('ends at once when the condition throws', async () => {
    const broken = waitFor(() => Promise.reject(new Error('no such table')), { what: 'a row' });
    await expect(broken).rejects.toThrow('no such table');
  });
});

describe('within', () => {
  it('hands on what comes in time, and failures', async () => {
    await expect(within(Promise.resolve(1), { what: 'one' })).resolves.toBe(1);
    await expect(within(Promise.reject(new Error('lost')), { what: 'one' })).rejects.toThrow('lost');
  });

  it('fails when it takes too long', async () => {
    const never = new Promise(() => undefined);
    await expect(within(never, { what: 'rain', deadlineMs: 30 })).rejects.toThrow('in vain for rain');
  });
});
