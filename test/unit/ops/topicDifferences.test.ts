import type { DeclaredTopic } from '../../../src/kafka/topics/declaredTopics';
import { describeDifference, lossOf, topicDifferences } from '../../../src/kafka/topics/topicDifferences';
import type { TopicState } from '../../../src/kafka/topics/topicStates';

const declared: DeclaredTopic = {
  topic: 'healthcore.patient.created',
  partitions: 2,
  replicationFactor: 3,
  settings: [
    { name: 'retention.ms', value: '1000' },
    { name: 'max.message.bytes', value: '2000', atLeast: true },
  ],
};

function stateWith(settings: Record<string, string>, replicas: number[][]): TopicState {
  return {
    topic: declared.topic,
    partitions: replicas.map((list, partition) => ({
      partition,
      leader: 1,
      replicas: list,
      inSync: list,
    })),
    settings: new Map(Object.entries(settings).map(([name, value]) => [name, { value, own: true }])),
  };
}

const differences = (state: TopicState | undefined): string[] =>
  topicDifferences(declared, state).map(describeDifference);

it('finds none where all is as declared, or more than is needed', () => {
  const settings = { 'retention.ms': '1000', 'max.message.bytes': '9999' };
  expect(
    differences(
      stateWith(settings, [
        [1, 2, 3],
        [2, 3, 1],
      ]),
    ),
  ).toEqual([]);
});

it('names each difference with both values', () => {
  const state = stateWith({ 'retention.ms': '5', 'max.message.bytes': '1999' }, [[1, 2, 3], [1], [1, 2]]);
  expect(differences(state)).toEqual([
    'has 3 partitions, declared 2',
    'has 1 replicas, declared 3',
    'retention.ms is 5, declared 1000',
    'max.message.bytes is 1999, declared 2000',
  ]);
  expect(differences(undefined)).toEqual(['is missing']);
});

describe('what a change of a setting loses', () => {
  const loss = (name: string, is: string, declared: string): boolean =>
    lossOf({ kind: 'setting', name, is, declared }) !== undefined;

  it.each([
    ['retention.ms', '1000', '999', true],
    ['retention.ms', '1000', '1001', false],
    ['retention.ms', '-1', '1000', true],
    ['retention.ms', '1000', '-1', false],
    ['retention.ms', '(unknown)', '1000', true],
    ['retention.bytes', '-1', '5', true],
    ['retention.bytes', '5', '6', false],
    ['cleanup.policy', 'compact', 'delete', true],
    ['cleanup.policy', 'compact', 'compact,delete', true],
    ['cleanup.policy', 'compact, delete', 'delete', false],
    ['cleanup.policy', 'delete', 'compact', false],
    ['compression.type', 'zstd', 'producer', false],
  ])('%s from %s to %s: %s', (name, is, declared, expected) => {
    expect(loss(name, is, declared)).toBe(expected);
  });
});
