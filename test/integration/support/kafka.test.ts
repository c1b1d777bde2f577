import {
  createTopics,
  deleteTopics,
  readAll,
  readTopic,
  testKafka,
  uniqueName,
  withAdmin,
} from '../../support/kafka';

const topic = uniqueName('support.kafka');

afterAll(() => deleteTopics(topic));

describe('reading a topic', () => {
  beforeAll(async () => {
    await createTopics({ topic, partitions: 3 });
    const producer = testKafka().producer({ allowAutoTopicCreation: false });
    await producer.connect();
    const messages = Array.from({ length: 20 }, (_, index) => ({
      key: `key ${index}`,
      value: `value ${index}`,
      headers: { number: String(index) },
    }));
    await producer.send({ topic, messages });
    await producer.disconnect();
  });

  it('returns everything that it holds, from all partitions', async () => {
    const messages = await readAll(topic);
    const values = Array.from({ length: 20 }, (_, index) => `value ${index}`);
    expect(new Set(messages.map((message) => message.value))).toEqual(new Set(values));
    expect(new Set(messages.map((message) => message.partition))).toEqual(new Set([0, 1, 2]));
  });

  it('returns key, headers, offset and time of each message', async () => {
    const messages = await readTopic({
      topic,
      until: (all) => all.some((message) => message.key === 'key 7'),
    });
    expect(messages.find((message) => message.key === 'key 7')).toEqual({
      topic,
      key: 'key 7',
      value: 'value 7',
      headers: { number: '7' },
      partition: expect.any(Number) as number,
      offset: expect.stringMatching(/^\d+$/) as string,
      timestamp: expect.stringMatching(/^\d{13}$/) as string,
    });
  });

  it('says which topic it waited for in vain', async () => {
    const impossible = readTopic({ topic, until: () => false, deadlineMs: 500 });
    await expect(impossible).rejects.toThrow(`enough messages in ${topic}`);
  });
});

it('an empty topic holds nothing', async () => {
  const empty = uniqueName('support.empty');
  await createTopics({ topic: empty });
  await expect(readAll(empty)).resolves.toEqual([]);
  await deleteTopics(empty, uniqueName('never.made'));
  await withAdmin(async (admin) => expect(await admin.listTopics()).not.toContain(empty));
});
