/** What the dev broker has acknowledged survives kill -9, again and again. */
import { randomInt } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writer } from '../../../dev/broker/protocol/writer';
import { spawnProgram, type RunningProgram } from '../../support/process';
import { waitFor } from '../../support/waitFor';
import { makeBatch, readBatches } from '../conformance/support/batches';
import { commit, outsider } from '../conformance/support/membership';
import { closeRawClients, connectRaw, type RawClient } from '../conformance/support/rawClient';
import { createTopics, errors, fetch, newProducerId, produce } from '../conformance/support/requests';

const rounds = 6;
const topic = 'killed';
const group = 'killed';

let dataDir: string;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'signalbox-broker-'));
});
afterEach(closeRawClients);
afterAll(() => rm(dataDir, { recursive: true, force: true }));

async function startBroker(): Promise<{ program: RunningProgram; address: string }> {
  const program = await spawnProgram('dev/broker/main', { args: ['--port', '0', '--data-dir', dataDir] });
  const line = await program.waitForLine('the dev broker is listening');
  const { host, port } = JSON.parse(line) as { host: string; port: number };
  return { program, address: `${host}:${port}` };
}

/** An idempotent producer with a partition of its own, which it fills with 0, 1, 2 … as one record each. */
class Writing {
  producerId = -1;
  /** The next value, which is also its sequence number and the offset that it must get. */
  next = 0;

  constructor(readonly partition: number) {}

  async send(client: RawClient): Promise<void> {
    const { producerId, next: sequence } = this;
    // Large ones now and then, so that a kill may well hit the middle of a write.
    const value = `<${sequence}>${'x'.repeat(sequence % 7 === 0 ? 400_000 : 10)}`;
    const batch = makeBatch({ values: [value], producerId, epoch: 0, sequence });
    const answer = await produce(client, topic, batch, { partition: this.partition });
    expect(answer).toEqual({ error: errors.NONE, baseOffset: sequence });
    this.next += 1;
  }

  async sendUntilKilled(address: string): Promise<void> {
    const client = await connectRaw(address);
    if (this.producerId < 0) this.producerId = (await newProducerId(client)).producerId;
    const connection = { isOpen: true };
    void client.closed.then(() => (connection.isOpen = false));
    while (connection.isOpen) await this.send(client).catch((error: Error) => passOnUnlessClosed(error));
  }
}

function passOnUnlessClosed(error: Error): void {
  if (!error.message.includes('closed the connection')) throw error;
}

/** The values in a partition, in order. */
async function readPartition(client: RawClient, partition: number): Promise<number[]> {
  const values: number[] = [];
  for (let offset = 0; ; offset = values.length) {
    const [fetched] = await fetch(client, { partitions: [{ topic, partition, offset }] });
    const batches = readBatches(fetched?.records ?? Buffer.alloc(0));
    if (batches.length === 0) return values;
    values.push(...batches.map(({ content }) => Number(/<(\d+)>/.exec(content)?.[1])));
  }
}

const upTo = (end: number): number[] => Array.from({ length: end }, (_, index) => index);

it(`after each of ${rounds} kills under load everything acknowledged is there, once and in order`, async () => {
  const writers = upTo(3).map((partition) => new Writing(partition));
  let committed = -1;
  for (let round = 0; round < rounds; round += 1) {
    const { program, address } = await startBroker();
    const client = await connectRaw(address);
    if (round === 0) await createTopics(client, [{ name: topic, partitions: writers.length }]);
    for (const { partition, next } of writers) {
      const values = await readPartition(client, partition);
      // The batch that was under way may have been written without anybody hearing of it.
      expect(values).toEqual(upTo(values.length === next + 1 ? next + 1 : next));
    }
    expect(await topicsOf(client)).toEqual([topic, ...upTo(round).map((index) => `round-${index}`)]);
    expect(await committedOffset(client)).toBe(committed);
    // What was under way is sent again with the same sequence number, and must be there once in the end.
    const load = Promise.all(writers.map((writer) => writer.sendUntilKilled(address)));
    await createTopics(client, [{ name: `round-${round}`, configs: { 'max.message.bytes': '2000' } }]);
    const goal = writers.map(({ next }) => next + randomInt(5, 40));
    await waitFor(() => writers.every(({ next }, index) => next >= (goal[index] ?? 0)), { what: 'the load' });
    committed = round * 100;
    const offsets = [{ topic, partition: 0, offset: committed }];
    expect(await commit(client, group, outsider, offsets)).toEqual([errors.NONE]);
    await program.kill('SIGKILL');
    await load;
  }
});

async function topicsOf(client: RawClient): Promise<string[]> {
  const answer = await client.request(3, 4, new Writer().int32(-1).boolean(false));
  answer.int32();
  answer.array((broker) => [broker.int32(), broker.string(), broker.int32(), broker.nullableString()]);
  answer.nullableString();
  answer.int32();
  const topics = answer.array((reader) => {
    reader.int16();
    const name = reader.string();
    reader.boolean();
    reader.array((partition) => {
      partition.int16();
      partition.int32();
      partition.int32();
      partition.array((node) => node.int32());
      partition.array((node) => node.int32());
    });
    return name;
  });
  return topics.sort();
}

async function committedOffset(client: RawClient): Promise<number> {
  const body = new Writer()
    .string(group)
    .array([topic], (writer, name) =>
      writer.string(name).array([0], (nested, partition) => nested.int32(partition)),
    );
  const answer = await client.request(9, 3, body);
  answer.int32();
  const topics = answer.array((reader) => {
    reader.string();
    return reader.array((partition) => {
      partition.int32();
      const offset = partition.int64();
      partition.nullableString();
      partition.int16();
      return offset;
    });
  });
  return topics[0]?.[0] ?? Number.NaN;
}
