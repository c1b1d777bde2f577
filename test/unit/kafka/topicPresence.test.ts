import { topicPresence } from '../../../src/kafka/topics/topicPresence';

const presenceOf = async (type: string | undefined): Promise<unknown> => {
  const fetchTopicMetadata = async (): Promise<never> => {
    if (type === undefined) return { topics: [] } as never;
    throw Object.assign(new Error(type), { topicErrors: [{ topic: 'other', type }] });
  };
  return Object.fromEntries(await topicPresence({ fetchTopicMetadata }, ['seen', 'other']));
};

test('a topic that may not be seen is not taken for one that is missing', async () => {
  expect(await presenceOf('TOPIC_AUTHORIZATION_FAILED')).toEqual({ seen: 'there', other: 'hidden' });
  expect(await presenceOf('UNKNOWN_TOPIC_OR_PARTITION')).toEqual({ seen: 'there', other: 'missing' });
  expect(await presenceOf('LEADER_NOT_AVAILABLE')).toEqual({ seen: 'there', other: 'there' });
  expect(await presenceOf(undefined)).toEqual({ seen: 'there', other: 'there' });
});

test('a failure that says nothing of a topic is a failure', async () => {
  const fetchTopicMetadata = async (): Promise<never> => {
    throw new Error('no broker');
  };
  await expect(topicPresence({ fetchTopicMetadata }, ['seen'])).rejects.toThrow('no broker');
});
