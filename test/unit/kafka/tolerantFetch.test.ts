import { createRequire } from 'node:module';
import { installCodecs } from '../../../src/kafka/kafkajs/compression/codecs';
import { fetchTolerantly, takeUnreadable } from '../../../src/kafka/kafkajs/fetch/tolerantFetch';
import { makeBatch } from '../../integration/conformance/support/batches';
import { fetchAnswer } from '../../support/fetchAnswer';

const require = createRequire(__filename);

interface Answer {
  responses: { topicName: string; partitions: { partition: number; messages: { value: Buffer }[] }[] }[];
}

async function decode(version: number, answer: Buffer): Promise<Answer> {
  installCodecs();
  fetchTolerantly();
  const response = require(`kafkajs/src/protocol/requests/fetch/v${version}/response`) as {
    decode(answer: Buffer): Promise<Answer>;
  };
  return response.decode(answer);
}

const batch = (values: string[], baseOffset: number, more: object = {}): Buffer => {
  const bytes = makeBatch({ values, ...more });
  bytes.writeBigInt64BE(BigInt(baseOffset), 0);
  return bytes;
};

/** A bit of the last record has fallen over, on a disk or on the way. */
function flipped(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy[copy.length - 3] = (copy.at(-3) ?? 0) ^ 1;
  return copy;
}

const textsOf = (messages: readonly { value: Buffer }[]): string[] =>
  messages.map(({ value }) => String(value));

describe.each([4, 5, 6, 7, 8, 9, 10, 11])('version %i of the answer to a fetch', (version) => {
  it('loses of a partition what lies after an unreadable batch, and nothing of other partitions', async () => {
    const { responses } = await decode(
      version,
      fetchAnswer(version, {
        one: [
          {
            partition: 0,
            records: Buffer.concat([batch(['a', 'b'], 40), batch(['c', 'd', 'e'], 42, { codec: 4 })]),
          },
          { partition: 1, records: batch(['f'], 7) },
        ],
        two: [
          { partition: 0, records: Buffer.alloc(0) },
          { partition: 5, records: Buffer.concat([flipped(batch(['g', 'h'], 3)), batch(['i'], 5)]) },
          { partition: 6, records: batch(['j'], 9, { gzip: true }) },
        ],
      }),
    );
    const found = responses.flatMap(({ topicName, partitions }) =>
      partitions.map(({ partition, messages }) => {
        const unreadable = takeUnreadable(messages);
        return [`${topicName}/${partition}`, textsOf(messages), unreadable] as const;
      }),
    );
    expect(found).toEqual([
      ['one/0', ['a', 'b'], expect.objectContaining({ from: '42', next: '45', codec: 'zstd' })],
      ['one/1', ['f'], undefined],
      ['two/0', [], undefined],
      ['two/5', [], expect.objectContaining({ from: '3', next: '5', reason: 'its checksum is wrong' })],
      ['two/6', ['j'], undefined],
    ]);
  });
});

const only = async (records: Buffer): Promise<{ texts: string[]; unreadable: unknown }> => {
  const { responses } = await decode(11, fetchAnswer(11, { one: [{ partition: 0, records }] }));
  const messages = responses[0]?.partitions[0]?.messages ?? [];
  const unreadable = takeUnreadable(messages);
  return { texts: textsOf(messages), unreadable };
};

it.each([
  ['a codec that does not exist', { codec: 6 }, 'unknown codec 6'],
  ['gzip that is not', { codec: 1 }, 'gzip'],
  ['snappy that is not', { codec: 2 }, 'snappy'],
  ['lz4 that is not', { codec: 3 }, 'lz4'],
  ['more records announced than there are', { announced: 9 }, 'none'],
])('%s is named', async (_what, more, codec) => {
  const { texts, unreadable } = await only(Buffer.concat([batch(['a'], 1), batch(['b', 'c'], 2, more)]));
  expect(texts).toEqual(['a']);
  expect(unreadable).toMatchObject({ from: '2', next: '4', codec });
});

it('a batch whose length cannot be is damaged, and not waited for', async () => {
  const broken = batch(['b'], 2);
  broken.writeInt32BE(10, 8);
  expect(await only(Buffer.concat([batch(['a'], 1), broken]))).toEqual({
    texts: ['a'],
    unreadable: expect.objectContaining({ from: '2', reason: 'its length is wrong' }) as unknown,
  });
  broken.writeInt32BE(-5, 8);
  expect((await only(broken)).unreadable).toMatchObject({ from: '2', reason: 'its length is wrong' });
});

it('a batch that is cut off is left for the next fetch', async () => {
  const records = Buffer.concat([batch(['a'], 1), batch(['b'.repeat(100)], 2).subarray(0, 90)]);
  expect(await only(records)).toEqual({ texts: ['a'], unreadable: undefined });
});

it('what is wrong with the answer itself is an error still', async () => {
  const answer = fetchAnswer(11, { one: [{ partition: 0, records: batch(['a'], 1) }] });
  await expect(decode(11, answer.subarray(0, answer.length - 5))).rejects.toThrow();
});
