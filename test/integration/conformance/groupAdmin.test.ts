import type { Admin } from 'kafkajs';
import { createTopics, testAdmin, testKafka, uniqueName } from '../../support/kafka';
import { waitFor } from '../../support/waitFor';
import { commit, outsider } from './support/membership';
import { closeRawClients, connectRaw } from './support/rawClient';

let admin: Admin;
let topic: string;
let groupId: string;
beforeAll(async () => {
  admin = testAdmin();
  await admin.connect();
});
beforeEach(async () => {
  topic = uniqueName('groups');
  groupId = uniqueName('groups');
  await createTopics({ topic, partitions: 2 });
});
afterEach(closeRawClients);
afterAll(() => admin.disconnect());

async function withRunningConsumer<T>(work: () => Promise<T>): Promise<T> {
  const consumer = testKafka().consumer({ groupId, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topic });
  await consumer.run({ eachMessage: async () => undefined });
  try {
    await waitFor(async () => (await describeGroup())?.state === 'Stable', { what: 'a stable group' });
    return await work();
  } finally {
    await consumer.disconnect();
  }
}
const describeGroup = async () => (await admin.describeGroups([groupId])).groups[0];
const commitOffset = async (offset: number) =>
  commit(await connectRaw(), groupId, outsider, [{ topic, partition: 0, offset, metadata: 'note' }]);
const committed = async () => (await admin.fetchOffsets({ groupId, topics: [topic] }))[0]?.partitions;

it('describes a group that nobody knows as dead', async () => {
  expect(await describeGroup()).toMatchObject({ errorCode: 0, groupId, state: 'Dead', members: [] });
});

it('describes a running group with its members and their shares', async () => {
  await withRunningConsumer(async () => {
    const group = await describeGroup();
    expect(group).toMatchObject({
      state: 'Stable',
      protocolType: 'consumer',
      protocol: 'RoundRobinAssigner',
    });
    expect(group?.members).toHaveLength(1);
    expect(group?.members[0]).toMatchObject({ clientId: 'signalbox-tests' });
    expect(group?.members[0]?.clientHost).toContain('127.0.0.1');
    expect(group?.members[0]?.memberAssignment.includes(topic)).toBe(true);
    expect((await admin.listGroups()).groups).toContainEqual({ groupId, protocolType: 'consumer' });
  });
  expect(await describeGroup()).toMatchObject({ state: 'Empty', members: [] });
});

it('keeps committed offsets with their metadata', async () => {
  expect(await committed()).toEqual([
    { partition: 0, offset: '-1', metadata: null },
    { partition: 1, offset: '-1', metadata: null },
  ]);
  expect(await commitOffset(7)).toEqual([0]);
  expect(await committed()).toEqual([
    { partition: 0, offset: '7', metadata: 'note' },
    { partition: 1, offset: '-1', metadata: null },
  ]);
  const all = await admin.fetchOffsets({ groupId });
  expect(all).toEqual([{ topic, partitions: [{ partition: 0, offset: '7', metadata: 'note' }] }]);
  expect((await admin.listGroups()).groups.map((group) => group.groupId)).toContain(groupId);
});

it('lets an administrator set and reset the offsets of a group that is not running', async () => {
  const producer = testKafka().producer();
  await producer.connect();
  await producer.send({ topic, messages: ['a', 'b', 'c'].map((value) => ({ partition: 0, value })) });
  await producer.disconnect();
  await admin.setOffsets({ groupId, topic, partitions: [{ partition: 0, offset: '2' }] });
  expect(await committed()).toContainEqual({ partition: 0, offset: '2', metadata: null });
  await admin.resetOffsets({ groupId, topic, earliest: true });
  // kafkajs commits the number that stands for "earliest"; consumers resolve it.
  expect(await committed()).toContainEqual({ partition: 0, offset: '-2', metadata: null });
});

it('refuses to set offsets while the group is running', async () => {
  await withRunningConsumer(async () => {
    const set = admin.setOffsets({ groupId, topic, partitions: [{ partition: 0, offset: '0' }] });
    await expect(set).rejects.toThrow('must have no running instances');
  });
});

describe('deleting a group', () => {
  it('forgets its offsets', async () => {
    await commitOffset(7);
    expect(await admin.deleteGroups([groupId])).toEqual([{ groupId, errorCode: 0 }]);
    expect(await describeGroup()).toMatchObject({ state: 'Dead' });
    expect(await committed()).toContainEqual({ partition: 0, offset: '-1', metadata: null });
  });

  it('is refused while it has members, and when there is none', async () => {
    await withRunningConsumer(async () => {
      await expect(admin.deleteGroups([groupId])).rejects.toMatchObject({
        groups: [{ groupId, error: { type: 'NON_EMPTY_GROUP' } }],
      });
    });
    const unknown = uniqueName('unknown');
    await expect(admin.deleteGroups([unknown])).rejects.toMatchObject({
      groups: [{ groupId: unknown, error: { type: 'GROUP_ID_NOT_FOUND' } }],
    });
  });
});

it('forgets the offsets of a topic that is deleted', async () => {
  await commitOffset(7);
  await admin.deleteTopics({ topics: [topic] });
  await waitFor(async () => (await admin.fetchOffsets({ groupId })).length === 0, { what: 'no offsets' });
});
