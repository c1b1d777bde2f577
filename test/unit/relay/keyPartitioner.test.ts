import { randomBytes, randomUUID } from 'node:crypto';
import { Partitioners } from 'kafkajs';
import { keyPartitioner } from '../../../src/kafka/kafkajs/keyPartitioner';

const ours = keyPartitioner();
const theirs = Partitioners.DefaultPartitioner();

function partitionsOf(key: string | Buffer, count: number): [number, number] {
  const partitionMetadata = Array.from({ length: count }, (_, partitionId) => ({
    partitionId,
    partitionErrorCode: 0,
    leader: 1,
    replicas: [1],
    isr: [1],
  }));
  const args = { topic: 'any', partitionMetadata, message: { key, value: '' } };
  return [ours(args), theirs(args)];
}

test('a key gets the partition that every other Kafka client gives it', () => {
  const keys = [
    '',
    'ä',
    '😀',
    ...Array.from({ length: 2_000 }, () => randomUUID()),
    ...Array.from({ length: 2_000 }, (_, length) => randomBytes(length % 70)),
  ];
  const different = keys.filter((key, index) => {
    const [our, their] = partitionsOf(key, 1 + (index % 17));
    return our !== their;
  });
  expect(different).toEqual([]);
});

test('known values of murmur2, as the tests of the Java client have them', () => {
  expect(partitionsOf('21', 1_000_000)[0]).toBe((-973_932_308 & 0x7fffffff) % 1_000_000);
  expect(partitionsOf('foobar', 1_000_000)[0]).toBe((-790_332_482 & 0x7fffffff) % 1_000_000);
});
