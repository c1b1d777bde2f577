import { newClusterId } from '../../../src/ops/cluster/clusterId';

describe('the id of a new cluster', () => {
  it('is 22 characters of base64 for URLs, and another one each time', () => {
    const ids = Array.from({ length: 500 }, () => newClusterId());
    for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9_][A-Za-z0-9_-]{21}$/);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('is none that a command line takes for an option, or that Kafka keeps for itself', () => {
    const zeros = Buffer.alloc(16);
    const metadata = Buffer.from('AAAAAAAAAAAAAAAAAAAAAQ', 'base64url');
    const draws = [Buffer.alloc(16, 0xfb), zeros, metadata, Buffer.alloc(16, 1)];
    expect(draws[0]?.toString('base64url')).toMatch(/^-/);
    expect(newClusterId(() => draws.shift() ?? zeros)).toBe('AQEBAQEBAQEBAQEBAQEBAQ');
  });
});
