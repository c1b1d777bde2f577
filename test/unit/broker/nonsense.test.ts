import fc from 'fast-check';
import { allApis } from '../../../dev/broker/apis/table';
import { type DevBroker, startDevBroker } from '../../../dev/broker/broker';
import { Writer } from '../../../dev/broker/protocol/writer';
import { makeBatch } from '../../integration/conformance/support/batches';
import { closeRawClients, connectRaw } from '../../integration/conformance/support/rawClient';
import { createTopics, errors, produce } from '../../integration/conformance/support/requests';
import { silentLogger } from '../../support/logger';
import { temporaryDirectory } from './temporaryDirectory';

const directory = temporaryDirectory();
let broker: DevBroker;
beforeEach(async () => {
  broker = await startDevBroker({ port: 0, dataDir: directory(), logger: silentLogger() });
  await createTopics(await connectRaw(broker.address), [{ name: 't' }]);
});
afterEach(async () => {
  closeRawClients();
  await broker.stop();
});

const apiVersions = 18;

/** Sends one request's body behind a proper head; the broker must still serve others afterwards. */
async function sendAndAskOthers(key: number, version: number, body: Buffer): Promise<void> {
  const bad = await connectRaw(broker.address);
  const head = new Writer().int16(key).int16(version).int32(1).string('x');
  const length = new Writer().int32(head.size + body.length);
  bad.send(Buffer.concat([...length.chunks(), ...head.chunks(), body]));
  const good = await connectRaw(broker.address);
  const answer = await good.request(apiVersions, 0, new Writer());
  expect(answer.int16()).toBe(errors.NONE);
  bad.destroy();
  good.destroy();
}

it('no request of random content harms the broker', async () => {
  const versions = allApis.flatMap(({ key, minVersion, maxVersion }) => [
    [key, minVersion] as const,
    [key, maxVersion] as const,
  ]);
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...versions),
      fc.uint8Array({ maxLength: 80 }),
      async ([key, version], body) => sendAndAskOthers(key, version, Buffer.from(body)),
    ),
    { numRuns: 300 },
  );
});

it('no damaged batch harms the broker or gets into the log', async () => {
  const whole = makeBatch({ values: ['a', 'b', 'c'], producerId: 1, epoch: 0, sequence: 0 });
  const client = await connectRaw(broker.address);
  await fc.assert(
    // The first 17 bytes are not covered by the checksum; they are the broker's to check one by one.
    fc.asyncProperty(
      fc.integer({ min: 17, max: whole.length - 1 }),
      fc.integer({ min: 1, max: 255 }),
      async (at, flip) => {
        const damaged = Buffer.from(whole);
        damaged.writeUInt8(damaged.readUInt8(at) ^ flip, at);
        expect((await produce(client, 't', damaged)).error).toBe(errors.CORRUPT_MESSAGE);
      },
    ),
    { numRuns: 200 },
  );
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: whole.length - 1 }), async (length) => {
      expect((await produce(client, 't', whole.subarray(0, length))).error).toBe(errors.INVALID_RECORD);
    }),
  );
  expect(await produce(client, 't', whole)).toEqual({ error: errors.NONE, baseOffset: 0 });
});
