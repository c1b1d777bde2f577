import { PrismaPg } from '@prisma/adapter-pg';
import { catalogue } from '../../../src/healthcore/catalogue';
import { PrismaClient } from '../../../src/generated/prisma/client';
import { CaptureError } from '../../../src/outbox/captureError';
import type { CapturedClient } from '../../../src/healthcore/capturedClient';
import { withCapture } from '../../../src/outbox/prisma/middleware/extension';
import { probe, readInternals } from '../../../src/outbox/prisma/internals';
import { FencedPrismaPg } from '../../../src/outbox/prisma/adapter/fencedPrismaPg';
import { markedComments } from '../../../src/outbox/prisma/statementComments';
import { captureLogger } from '../../support/logger';

/** Nothing listens there: whatever reaches the database fails. */
const connectionString = 'postgres://nobody@127.0.0.1:1/none';
const newClient = (comments = [markedComments()]): PrismaClient =>
  new PrismaClient({ adapter: new FencedPrismaPg({ connectionString }), comments });

describe('what capture assumes of Prisma', () => {
  it('holds for the version that is installed', async () => {
    const client = newClient();
    withCapture(client, { catalogue, source: 's', logger: captureLogger().logger });
    await expect(probe(readInternals(client))).resolves.toBeUndefined();
  });

  it.each(['_engine', '_engineConfig', '_runtimeDataModel', '_originalClient', '_requestHandler'])(
    'is checked when the client is captured: without %s it says which version does not fit',
    (property) => {
      const client = new Proxy(newClient(), {
        get: (target, name) => (name === property ? undefined : Reflect.get(target, name)),
      });
      const capture = (): unknown =>
        withCapture(client, { catalogue, source: 's', logger: captureLogger().logger });
      expect(capture).toThrow(CaptureError);
      expect(capture).toThrow(
        /does not fit the inside of Prisma \d+\.\d+\.\d+: ".*Install the version that package\.json pins/,
      );
    },
  );

  it('does not take a client whose statements bear no mark: triggers would write its events a second time', () => {
    const capture = (): unknown =>
      withCapture(newClient([]), { catalogue, source: 's', logger: captureLogger().logger });
    expect(capture).toThrow(CaptureError);
    expect(capture).toThrow('comments: [markedComments()]');
  });

  it('does not take a client whose statements may get behind the end of their transaction', () => {
    const adapter = new PrismaPg({ connectionString });
    const client = new PrismaClient({ adapter, comments: [markedComments()] });
    const capture = (): unknown =>
      withCapture(client, { catalogue, source: 's', logger: captureLogger().logger });
    expect(capture).toThrow(CaptureError);
    expect(capture).toThrow('create it with createPrismaClient, or with new FencedPrismaPg(…)');
  });

  it('is tried before the first write: if requests go another way, writes are refused and the log says so', async () => {
    const client = newClient();
    const log = captureLogger();
    const { original } = readInternals(client);
    // As if a later Prisma sent its requests by a function of its own.
    const send = original._executeRequest;
    const captured: CapturedClient = withCapture(client, { catalogue, source: 's', logger: log.logger });
    const taken = original._executeRequest;
    original._executeRequest = function (request) {
      return (request.action === 'findFirst' ? send : taken).call(this, request);
    };
    await expect(captured.patient.create({ data: { name: 'a', email: 'b' } })).rejects.toThrow(
      /"_executeRequest" is not as expected/,
    );
    expect(log.entries()).toEqual([
      expect.objectContaining({ msg: 'capture refuses all writes', level: 'error' }),
    ]);
  });
});
