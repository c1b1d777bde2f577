import { afterCrash } from '../../../../dev/start/restartPolicy';

const policy = { limit: 3, windowMs: 60_000, initialMs: 500, maxMs: 8_000 };
const longest = (): number => 1;

describe('the restart policy', () => {
  it('waits longer after each crash', () => {
    expect(afterCrash([0], policy, longest)).toEqual({ restartInMs: 500, attempt: 1 });
    expect(afterCrash([0, 1_000], policy, longest)).toEqual({ restartInMs: 1_000, attempt: 2 });
    expect(afterCrash([0, 1_000, 3_000], policy, longest)).toEqual({ restartInMs: 2_000, attempt: 3 });
  });

  it('gives up after more crashes in a row than its limit', () => {
    expect(afterCrash([0, 1_000, 3_000, 6_000], policy, longest)).toBe('give up');
  });

  it('forgets crashes before which the part ran for longer than the window', () => {
    expect(afterCrash([0, 1_000, 3_000, 63_001], policy, longest)).toEqual({ restartInMs: 500, attempt: 1 });
    expect(afterCrash([0, 1_000, 3_000, 63_000], policy, longest)).toBe('give up');
  });
});
