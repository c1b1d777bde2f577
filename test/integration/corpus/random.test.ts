/**
 * The same with schemas that are drawn at random: keys, kinds, lists, names, relations and their referential actions.
 * In `npm test` a few, the same ones each time; `npm run test:long` draws others.
 */
import { randomInt } from 'node:crypto';
import { openGenerated } from '../../corpus/corpus';
import { randomSchema } from '../../corpus/randomSchema';
import { effort } from '../../support/effort';
import { CorpusBench, expectRight } from './bench';

jest.setTimeout(600_000);

const first = Number(process.env['SCHEMA_SEED'] ?? effort(1, randomInt(1_000_000)));
const count = Number(process.env['SCHEMA_RUNS'] ?? effort(2, 8));
const seeds = Array.from({ length: count }, (_, nr) => first + nr);

describe(`schemas drawn from the seeds ${first} to ${first + count - 1}`, () => {
  let bench: CorpusBench;
  afterEach(() => bench.close());

  test('mean by the trigger engine what their rows say', async () => {
    bench = new CorpusBench(await openGenerated(seeds.map((seed) => randomSchema(seed, { simple: false }))));
    const findings = await bench.byTriggers();
    expectRight(findings);
  });

  test('mean by the middleware engine what their rows say', async () => {
    bench = new CorpusBench(await openGenerated(seeds.map((seed) => randomSchema(seed, { simple: true }))));
    const refused: string[] = [];
    const findings = await bench.byMiddleware((schema, { message }) => {
      if (!/which the same write|other rows of/.test(message)) refused.push(`${schema.name}: ${message}`);
    });
    expect(refused).toEqual([]);
    expectRight(findings);
  });
});
