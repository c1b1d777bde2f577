import { randomBytes } from 'node:crypto';
import { Writer } from '../../../dev/broker/protocol/writer';
import { createTopics, uniqueName, withAdmin } from '../../support/kafka';
import { within } from '../../support/waitFor';
import { makeBatch } from './support/batches';
import { closeRawClients, connectRaw } from './support/rawClient';
import { errors, produce } from './support/requests';

afterEach(closeRawClients);

const apiVersions = 18;

it('tells a client that asks in a version it does not know which ones it knows', async () => {
  // From version 3 on the head of a request ends with a list of tagged fields; here with none.
  const answer = await (await connectRaw()).request(apiVersions, 99, new Writer().int8(0));
  expect(answer.int16()).toBe(errors.UNSUPPORTED_VERSION);
  const versions = answer.array((reader) => [reader.int16(), reader.int16(), reader.int16()] as const);
  expect(versions.map(([key]) => key)).toContain(apiVersions);
  expect(answer.remaining).toBe(0);
});

it('lists the requests that this project depends on, in the versions that it uses', async () => {
  const answer = await (await connectRaw()).request(apiVersions, 0, new Writer());
  expect(answer.int16()).toBe(errors.NONE);
  const versions = new Map(
    answer.array((reader) => [reader.int16(), { min: reader.int16(), max: reader.int16() }] as const),
  );
  const used = [
    [0, 3],
    [1, 4],
    [2, 1],
    [3, 4],
    [8, 2],
    [9, 3],
    [10, 1],
    [11, 2],
    [12, 1],
    [13, 1],
    [14, 1],
    [15, 1],
    [16, 1],
    [19, 2],
    [20, 1],
    [21, 0],
    [22, 0],
    [32, 1],
    [33, 0],
    [37, 0],
    [42, 0],
  ] as const;
  const missing = used.filter(([key, version]) => {
    const range = versions.get(key);
    return range === undefined || version < range.min || version > range.max;
  });
  expect(missing).toEqual([]);
});

it.each([
  ['a request that claims to be 2 GB', new Writer().int32(2 ** 31 - 1).chunks()],
  ['a request of negative length', new Writer().int32(-5).chunks()],
  ['a request that does not exist', frame(new Writer().int16(9_999).int16(0).int32(1).string('x'))],
  ['a version that does not exist', frame(new Writer().int16(3).int16(999).int32(1).string('x'))],
  ['a request that ends too early', frame(new Writer().int16(3).int16(4).int32(1).string('x').int32(1_000))],
  ['noise', [Buffer.from([0, 0, 0, 64]), randomBytes(64)]],
])('closes a connection that sends %s, and serves others', async (_, bytes) => {
  const [bad, good] = await Promise.all([connectRaw(), connectRaw()]);
  bad.send(Buffer.concat(bytes));
  await within(bad.closed, { what: 'the end of the connection' });
  expect((await good.request(apiVersions, 0, new Writer())).int16()).toBe(errors.NONE);
});

function frame(body: Writer): Buffer[] {
  return [...new Writer().int32(body.size).chunks(), ...body.chunks()];
}

it('answers requests that are sent without waiting in the order in which they came', async () => {
  const topic = uniqueName('connections');
  await createTopics({ topic });
  const client = await connectRaw();
  const answers = Array.from({ length: 50 }, (_, index) =>
    produce(client, topic, makeBatch({ values: [String(index)] })),
  );
  const offsets = (await Promise.all(answers)).map(({ baseOffset }) => baseOffset);
  expect(offsets).toEqual(Array.from({ length: 50 }, (_, index) => index));
});

it('takes a request that arrives byte by byte', async () => {
  const client = await connectRaw();
  const topic = uniqueName('connections');
  await createTopics({ topic });
  const body = new Writer().int16(0).int16(3).int32(7).string('x').string(null).int16(1).int32(1_000);
  body.array([topic], (writer, name) =>
    writer
      .string(name)
      .array([0], (nested, partition) => nested.int32(partition).bytes(makeBatch({ values: ['a'] }))),
  );
  for (const byte of Buffer.concat(frame(body))) client.send(Buffer.from([byte]));
  await within(
    (async () => {
      while ((await withAdmin((admin) => admin.fetchTopicOffsets(topic)))[0]?.high !== '1');
    })(),
    { what: 'the record' },
  );
});
