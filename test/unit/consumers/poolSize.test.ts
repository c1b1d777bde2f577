import { divideConnections } from '../../../src/consumers/poolSize';
import { UserError } from '../../../src/shared/lifecycle';

const databaseUrl = 'postgresql://me@h/d';
const divide = (consumers: number, poolSize?: number, url = databaseUrl) =>
  divideConnections(consumers, { databaseUrl: url, poolSize });

describe("the consumers' connections", () => {
  it('are enough for all that can be worked on at a time, and two more, unless a number is set', () => {
    expect(divide(3)).toEqual({ poolSize: 14, partitionsAtOnce: 4 });
    expect(divide(1)).toEqual({ poolSize: 6, partitionsAtOnce: 4 });
  });

  it.each([
    [3, 10, 2],
    [3, 5, 1],
    [1, 100, 4],
    [2, 7, 2],
  ])(
    'of %d consumers with a pool of %d allow %d partitions each',
    (consumers, poolSize, partitionsAtOnce) => {
      expect(divide(consumers, poolSize)).toEqual({ poolSize, partitionsAtOnce });
      expect(consumers * partitionsAtOnce + 2).toBeLessThanOrEqual(Math.max(poolSize, consumers + 2));
    },
  );

  it('follow the connection_limit of DATABASE_URL, which sets the size of the pool', () => {
    expect(divide(3, 50, `${databaseUrl}?connection_limit=8`)).toEqual({ poolSize: 8, partitionsAtOnce: 2 });
  });

  it('are refused when they are too few for one partition of each, by the name of what is to be raised', () => {
    expect(() => divide(3, 4)).toThrow(UserError);
    expect(() => divide(3, 4)).toThrow(/^DATABASE_POOL_SIZE is 4, and 3 consumers .* need 5 connections/);
    expect(() => divide(3, 50, `${databaseUrl}?connection_limit=1`)).toThrow(
      /^connection_limit in DATABASE_URL is 1/,
    );
  });
});
