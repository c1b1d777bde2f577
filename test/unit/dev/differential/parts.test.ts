import { partsOf, workersFor } from '../../../../dev/differential/parts';

describe('the parts of a run', () => {
  it.each([1, 2, 7])('name each sequence of each plan once for %i processes', (workers) => {
    const parts = partsOf({ runs: 1_001, seed: 5 }, workers);
    const numbers = (plan: string): number[] =>
      parts
        .filter((part) => part.plan === plan)
        .flatMap(({ path, count }) => Array.from({ length: count }, (_, nr) => Number(path) + nr));
    expect(numbers('alone')).toEqual(Array.from({ length: 1_001 }, (_, nr) => nr));
    expect(numbers('limits')).toEqual(Array.from({ length: 126 }, (_, nr) => nr));
    expect(numbers('together')).toEqual(Array.from({ length: 126 }, (_, nr) => nr));
  });

  it('are shared by no more processes than have a hundred sequences each', () => {
    const workers = (runs: number): number => workersFor(partsOf({ runs, seed: 5 }, 3), 3);
    expect([1, 80, 150, 1_000].map(workers)).toEqual([1, 1, 2, 3]);
  });

  it('are one sequence when a failure has named it', () => {
    const path = '17:1:2';
    expect(partsOf({ runs: 1_000, seed: 5, plan: 'limits', path }, 3)).toEqual([
      { plan: 'limits', seed: 5, path, count: 1 },
    ]);
  });
});
