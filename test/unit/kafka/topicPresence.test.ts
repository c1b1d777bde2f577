import { topicPresence } from '../../../src/kafka/topicPresence';

const failing = (type: string) => async (): Promise<never> => {
  throw Object.assign(new Error(type), { name: 'KafkaJSProtocolError', type });
};

const presenceOf = async (fetchTopicMetadata: () => Promise<never>): Promise<unknown> =>
  (await topicPresence({ fetchTopicMetadata }, ['other'])).get('other');

test('a topic that may not be seen is not taken for one that is missing', async () => {
  expect(await presenceOf(failing('TOPIC_AUTHORIZATION_FAILED'))).toBe('hidden');
  expect(await presenceOf(failing('UNKNOWN_TOPIC_OR_PARTITION'))).toBe('missing');
  expect(await presenceOf(async () => ({ topics: [] }) as never)).toBe('there');
});

test('a failure that says nothing of the topic is a failure', async () => {
  await expect(presenceOf(failing('LEADER_NOT_AVAILABLE'))).rejects.toThrow('LEADER_NOT_AVAILABLE');
});
