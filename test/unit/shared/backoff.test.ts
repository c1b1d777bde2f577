import fc from 'fast-check';
import { backoffMs } from '../../../src/shared/backoff';

const options = { initialMs: 100, maxMs: 5_000 };

describe('backoffMs', () => {
  it('doubles from the initial pause up to the cap', () => {
    const longest = [1, 2, 3, 4, 5, 6, 7, 8, 1_000].map((attempt) => backoffMs(attempt, options, () => 1));
    expect(longest).toEqual([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000]);
  });

  it('never leaves the upper half of its range, whatever the attempt and the dice', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100_000 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (attempt, dice) => {
          const ceiling = backoffMs(attempt, options, () => 1);
          const pause = backoffMs(attempt, options, () => dice);
          expect(pause).toBeGreaterThanOrEqual(Math.floor(ceiling / 2));
          expect(pause).toBeLessThanOrEqual(ceiling);
        },
      ),
    );
  });
});
