import fc from 'fast-check';
import { sequences } from '../../../integration/differential/sequences';

/** What `fc.check` runs when it is told to begin at a number. */
async function drawn(seed: number, path: string, numRuns: number): Promise<string[]> {
  const seen: string[] = [];
  const property = fc.asyncProperty(sequences({ anyLimit: false }), async (steps) => {
    seen.push(JSON.stringify(steps));
  });
  await fc.check(property, { seed, path, numRuns });
  return seen;
}

describe('a sequence', () => {
  it('is what the seed and its number say, in whichever part of a run it is drawn', async () => {
    const all = await drawn(7, '0', 40);
    expect(new Set(all).size).toBeGreaterThan(30);
    expect(await drawn(7, '25', 10)).toEqual(all.slice(25, 35));
    expect(await drawn(7, '0:0', 1)).not.toEqual(all.slice(0, 1));
  });
});
