import { divideConnections } from '../../../src/consumers/poolSize';
import { UserError } from '../../../src/shared/lifecycle';

const databaseUrl = 'postgresql://me@h/d';
const divide = (consumers: number, poolSize?: number, url = databaseUrl) =>
  divideConnections(consumers, { databaseUrl: url, poolSize });

describe("the consumers' connections", () => {
  it('are enough for all that can be worked on at a time, and two more, unless a number is set', () => {
    expect(divide(3)).toEqual({ poolSize: 20, partitionsAtOnce: 4, postponedAtOnce: 2 });
    expect(divide(1)).toEqual({ poolSize: 8, partitionsAtOnce: 4, postponedAtOnce: 2 });
  });

  it.each([
    [3, 8, 1, 1],
    [3, 10, 1, 1],
    [3, 11, 2, 1],
    [3, 17, 4, 1],
    [3, 20, 4, 2],
    [1, 100, 4, 2],
    [1, 4, 1, 1],
  ])(
    'of %d consumers with a pool of %d allow each %d partitions and %d postponed events',
    (consumers, poolSize, partitionsAtOnce, postponedAtOnce) => {
      expect(divide(consumers, poolSize)).toEqual({ poolSize, partitionsAtOnce, postponedAtOnce });
      expect(consumers * (partitionsAtOnce + postponedAtOnce) + 2).toBeLessThanOrEqual(poolSize);
    },
  );

  it('follow the connection_limit of DATABASE_URL, which sets the size of the pool', () => {
    expect(divide(3, 50, `${databaseUrl}?connection_limit=11`)).toMatchObject({
      poolSize: 11,
      partitionsAtOnce: 2,
    });
  });

  it('are refused when they are too few for one of each, by the name of what is to be raised', () => {
    expect(() => divide(3, 7)).toThrow(UserError);
    expect(() => divide(3, 7)).toThrow(/^DATABASE_POOL_SIZE is 7, and 3 consumers .* need 8 connections/);
    expect(() => divide(3, 50, `${databaseUrl}?connection_limit=1`)).toThrow(
      /^connection_limit in DATABASE_URL is 1/,
    );
  });
});
