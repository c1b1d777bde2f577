/** Consumer groups as kafkajs runs them: who reads what, and what happens when members come and go. */
import { connect } from 'node:net';
import { type Consumer, Kafka, logLevel } from 'kafkajs';
import { createTopics, kafkaBrokers, testKafka, uniqueName, withAdmin } from '../../support/kafka';
import { startTcpProxy, type TcpProxy } from '../../support/tcpProxy';
import { waitFor } from '../../support/waitFor';

const partitions = 4;
let topic: string;
let groupId: string;
const running: Member[] = [];

beforeEach(async () => {
  topic = uniqueName('consumers');
  groupId = uniqueName('consumers');
  await createTopics({ topic, partitions });
});
afterEach(async () => {
  await Promise.all(running.splice(0).map(({ consumer }) => consumer.disconnect()));
});

interface Member {
  readonly consumer: Consumer;
  /** Of the partitions in its latest assignment. */
  assigned: readonly number[];
  readonly read: string[];
}

async function start(kafka = testKafka(), options: { sessionTimeout?: number } = {}): Promise<Member> {
  const consumer = kafka.consumer({
    groupId,
    sessionTimeout: 10_000,
    heartbeatInterval: 100,
    maxWaitTimeInMs: 100,
    ...options,
  });
  const member: Member = { consumer, assigned: [], read: [] };
  running.push(member);
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    member.assigned = payload.memberAssignment[topic] ?? [];
  });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    autoCommitThreshold: 1,
    eachMessage: async ({ message }) => void member.read.push(String(message.value)),
  });
  return member;
}

async function produce(...values: string[]): Promise<void> {
  const producer = testKafka().producer();
  await producer.connect();
  const messages = values.map((value, index) => ({ partition: index % partitions, value }));
  await producer.send({ topic, messages });
  await producer.disconnect();
}

/** Waits until these members, and nobody else, share all partitions. */
const shared = (...members: Member[]) =>
  waitFor(
    () => {
      const all = members.flatMap(({ assigned }) => assigned).toSorted((a, b) => a - b);
      return members.every(({ assigned }) => assigned.length > 0) && all.join() === '0,1,2,3';
    },
    { what: () => `shares (${members.map(({ assigned }) => `[${assigned.join()}]`).join(' ')})` },
  );
const haveRead = (members: Member[], ...values: string[]) =>
  waitFor(
    () => {
      const read = new Set(members.flatMap((member) => member.read));
      return values.every((value) => read.has(value));
    },
    { what: values.join() },
  );

it('a group shares the partitions, and each record is read by one member', async () => {
  const members = [await start(), await start(), await start()];
  await shared(...members);
  await produce('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h');
  await haveRead(members, 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h');
  expect(members.flatMap(({ read }) => read)).toHaveLength(8);
});

it('a member that leaves hands its partitions to the others', async () => {
  const [staying, leaving] = [await start(), await start()];
  await shared(staying, leaving);
  await leaving.consumer.disconnect();
  await shared(staying);
  await produce('a', 'b', 'c', 'd');
  await haveRead([staying], 'a', 'b', 'c', 'd');
});

it('a member that is cut off loses its partitions when its session ends', async () => {
  const [host = '', port] = (kafkaBrokers()[0] ?? '').split(':');
  const proxy = await startTcpProxy({ host, port: Number(port) });
  const staying = await start();
  const crashing = await start(clientBehind(proxy), { sessionTimeout: 6_000 });
  await shared(staying, crashing);
  proxy.pause();
  await shared(staying);
  await produce('a', 'b', 'c', 'd');
  await haveRead([staying], 'a', 'b', 'c', 'd');
  await proxy.close();
});

it('a new member goes on where the group had stopped', async () => {
  await produce('a', 'b', 'c', 'd');
  const before = await start();
  await haveRead([before], 'a', 'b', 'c', 'd');
  await before.consumer.disconnect();
  await produce('e', 'f', 'g', 'h');
  const after = await start();
  await haveRead([after], 'e', 'f', 'g', 'h');
  expect(after.read.toSorted()).toEqual(['e', 'f', 'g', 'h']);
  await after.consumer.disconnect();
  const [committed] = await withAdmin((admin) => admin.fetchOffsets({ groupId, topics: [topic] }));
  expect(committed?.partitions.map(({ offset }) => offset)).toEqual(['2', '2', '2', '2']);
});

it('two groups read the same records, each for itself', async () => {
  await produce('a', 'b');
  const one = await start();
  groupId = uniqueName('consumers');
  const other = await start();
  await Promise.all([haveRead([one], 'a', 'b'), haveRead([other], 'a', 'b')]);
});

/** A client that reaches the broker through a proxy only: the broker names its own address, but is not called there. */
function clientBehind({ port }: TcpProxy): Kafka {
  return new Kafka({
    clientId: 'cut-off',
    brokers: [`127.0.0.1:${port}`],
    logLevel: logLevel.NOTHING,
    socketFactory: ({ onConnect }) => connect({ host: '127.0.0.1', port }, onConnect),
    retry: { retries: 0 },
  });
}
