import { aggregates, type CommandType, type EventData } from '../../../healthcore/catalogue';
import type { PrismaClient } from '../../../generated/prisma/client';
import { appendEvents, type Execute, lockKey } from '../../append';
import { CaptureError } from '../../captureError';
import type { CapturedClient, CaptureOptions } from '../middleware/extension';
import { readInternals, transactionIdOf } from '../internals';
import { currentContext } from '../../context';
import { explicitEvent } from '../../explicitEvent';
import { keepContexts } from '../keepContexts';
import { stampedComments } from '../stampedComments';
import { assertTriggersMatch } from './check';
import { hints } from './hints';

/*
 * The engine "trigger", seen from the program: the triggers do the work, so what is left is to check at start that they
 * are there, to append explicit events, and to say when something may have been committed.
 *
 * The client must have been created with contextComments: it carries the request's context to the triggers. A client
 * with the mark of the other engine would make the triggers look away, so it is refused.
 */

type RawClient = { $queryRawUnsafe(sql: string, ...parameters: unknown[]): PromiseLike<unknown> };

/**
 * Checks the installed triggers against the catalogue and gives the client `$append`, with the face of `withCapture`.
 * `onCommitted` is called after whatever may have committed events: a hint, sometimes for nothing.
 * @throws TriggersDifferError when the triggers do not do what the catalogue says.
 * @throws CaptureError when the client was not created for this engine.
 */
export async function withTriggerCapture(
  client: PrismaClient,
  options: CaptureOptions,
): Promise<CapturedClient> {
  if ('$append' in client)
    throw new CaptureError('withTriggerCapture was given a client that has capture already');
  assertComments(client, options.source);
  const run = async (sql: string, ...parameters: unknown[]): Promise<unknown> =>
    client.$queryRawUnsafe(sql, ...parameters);
  const { schema, defaultSchema, loader, engine } = readInternals(client);
  await assertTriggersMatch(run, aggregates, { schema, defaultSchema });
  keepContexts(loader, engine);
  const { source } = options;
  // A property, which transactions' clients inherit: an extension would cost every operation of the client.
  Object.defineProperty(client, '$append', {
    // Like a method of the client's own: whoever wraps the client in a proxy may put another in its place.
    configurable: true,
    writable: true,
    async value<T extends CommandType>(
      this: RawClient,
      eventType: T,
      event: { aggregateId: string; data: EventData<T> },
    ) {
      return append(this, source, eventType, event);
    },
  });
  return hints(client as unknown as CapturedClient, options);
}

function assertComments(client: object, source: string): void {
  const { signalbox, source: stamped } = stampedComments(client);
  if (signalbox === undefined && (stamped ?? '') !== '') return;
  const found =
    signalbox === undefined
      ? 'stamps no context on its statements'
      : 'marks its statements as captured by the middleware engine';
  throw new CaptureError(
    `The trigger engine was given a client that ${found}: create it with createPrismaClient({ …, comments: [contextComments({ source: ${JSON.stringify(source)} })] })`,
  );
}

async function append(
  client: RawClient,
  source: string,
  eventType: CommandType,
  { aggregateId, data }: { aggregateId: string; data: unknown },
): Promise<{ eventId: string }> {
  if (transactionIdOf(client) === undefined) {
    throw new CaptureError(
      `$append('${eventType}') needs a transaction: prisma.$transaction(async (tx) => { …; await tx.$append(…) })`,
    );
  }
  const event = explicitEvent(eventType, aggregateId, data);
  const execute: Execute = async (sql, parameters) => client.$queryRawUnsafe(sql, ...parameters);
  await lockKey(execute, aggregateId);
  const [eventId = ''] = await appendEvents(execute, [event], { source, context: currentContext() });
  return { eventId };
}
