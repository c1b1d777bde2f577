/**
 * Both engines in front of schemas that other people might have written (test/corpus): after every operation the outbox
 * says what the difference of the tables says, and nothing else. `npm test` tries every fifth operation.
 */
import { corpusNames, openCorpus } from '../../corpus/corpus';
import { CorpusBench, expectRight } from './bench';

jest.setTimeout(300_000);

describe.each(corpusNames)('the schemas of the folder %s', (name) => {
  let bench: CorpusBench;
  beforeAll(async () => {
    bench = new CorpusBench(await openCorpus(name));
  });
  afterAll(() => bench.close());

  test('mean by the trigger engine what their rows say', async () => {
    const findings = await bench.byTriggers();
    expectRight(findings);
  });

  test('mean by the middleware engine what their rows say, or are refused by a sentence', async () => {
    const unexpected: string[] = [];
    const findings = await bench.byMiddleware((schema, { message }) => {
      if (!schema.middlewareRefuses?.test(message)) unexpected.push(`${schema.name}: ${message}`);
    });
    expect(unexpected).toEqual([]);
    expectRight(findings);
  });
});
