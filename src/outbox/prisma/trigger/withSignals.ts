import type { Catalogue } from '../../../events/catalogue';
import { appendEvents, type Execute, lockKey } from '../../append';
import { CaptureError } from '../../captureError';
import { currentContext } from '../../context';
import type { MappedEvent } from '../../mapping';
import type { Captured, CaptureOptions, CatalogueOption, PrismaClientLike } from '../captured';
import { explicitAppend, type ExplicitEvent } from '../explicitAppend';
import { assertPrismaVersion } from '../prismaVersion';
import { readInternals } from '../internals';
import { keepContexts } from '../keepContexts';
import { stampedComments } from '../stampedComments';
import { assertTriggersMatch } from '../installed/check';
import { hints } from './hints';

/*
 * The engine "trigger", seen from the program: the triggers do the work, so what is left is to check at start that they
 * are there, to append explicit events, and to say when something may have been committed.
 *
 * The client must have been created with contextComments: it carries the request's context to the triggers. A client
 * with the mark of the other engine would make the triggers look away, so it is refused.
 */

/**
 * Checks the installed triggers against the catalogue and adds `$append` to the client.
 * `onCommitted` is called after whatever may have committed events: a hint, sometimes for nothing.
 * @throws TriggersDifferError when the triggers do not do what the catalogue says.
 * @throws CaptureError when the client was not created for this engine.
 */
export async function withSignals<Client extends PrismaClientLike, const Cat extends Catalogue>(
  client: Client,
  options: CaptureOptions & CatalogueOption<Client, Cat>,
): Promise<Captured<Client, Cat>>;
export async function withSignals(
  client: PrismaClientLike,
  { catalogue, ...options }: CaptureOptions & { readonly catalogue: Catalogue },
): Promise<unknown> {
  if ('$append' in client) throw new CaptureError('withSignals was given a client that has capture already');
  assertPrismaVersion(client);
  const { source } = options;
  assertComments(client, source);
  const run = async (sql: string, ...parameters: unknown[]): Promise<unknown> =>
    client.$queryRawUnsafe(sql, ...parameters);
  const { schema, defaultSchema, loader, engine } = readInternals(client);
  await assertTriggersMatch(run, catalogue.aggregates, { schema, defaultSchema });
  keepContexts(loader, engine);
  // A property, which transactions' clients inherit: an extension would cost every operation of the client.
  Object.defineProperty(client, '$append', {
    // Like a method of the client's own: whoever wraps the client in a proxy may put another in its place.
    configurable: true,
    writable: true,
    async value(this: PrismaClientLike, eventType: string, event: ExplicitEvent) {
      return append(this, source, explicitAppend(this, catalogue, eventType, event).event);
    },
  });
  return hints(client, options);
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
  client: PrismaClientLike,
  source: string,
  event: MappedEvent,
): Promise<{ eventId: string }> {
  const execute: Execute = async (sql, parameters) => client.$queryRawUnsafe(sql, ...parameters);
  await lockKey(execute, event.aggregateId);
  const [eventId = ''] = await appendEvents(execute, [event], { source, context: currentContext() });
  return { eventId };
}
