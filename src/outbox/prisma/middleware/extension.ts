import { defaultLogger } from '../../../shared/logger';
import type { Catalogue } from '../../../events/catalogue';
import { lockKey } from '../../append';
import type { Captured, CaptureOptions, CatalogueOption, PrismaClientLike } from '../captured';
import { capturedModels } from '../catalogueFits';
import { explicitAppend, type ExplicitEvent } from '../explicitAppend';
import { stampedComments } from '../stampedComments';
import { CaptureError } from '../../captureError';
import { CascadeGuard } from './cascadeGuard';
import { refuseCascades } from './cascades';
import { captureKey, ClientFamily } from './clientFamily';
import { CaptureEngine } from './engine';
import { probe, readInternals } from '../internals';
import { assertPrismaVersion } from '../prismaVersion';
import { readModels } from './model';
import { readGraph } from './nested/graph';
import { hasForeignKeys, readRelations } from '../schema/relations';
import { TriggersBeside } from './triggersBeside';
import { UncapturedWrites } from './uncapturedWrites';

/*
 * The engine "middleware": a Prisma Client extension that turns every write of a captured model into rows of the
 * outbox, in the same database transaction.
 *
 * A write inside a caller's transaction joins it; any other gets a transaction of its own, without limits, so that
 * nobody can tell it from the single statement that it was. Around the write the images of its rows are taken, the
 * catalogue says which events their difference means, and those are inserted after the write, while its row locks are
 * held. What can't be captured is refused: raw SQL on a captured table, cascades, nested writes without bounds.
 *
 * Model change and events commit together or not at all. Neither is ever told by the success of a promise: an error
 * that a caller catches may have ended the transaction, and a write that nobody awaits may still be part of it.
 */

/**
 * Extends a client with capture. What the client that was given writes past capture, alone or in an extension that was
 * applied to it before, is left to the triggers, and refused where none are installed; see withoutCapture for writes
 * that are to have no events.
 * @throws CaptureError when the schema, the catalogue or this version of Prisma can't be captured, saying why.
 */
export function withCapture<Client extends PrismaClientLike, const Cat extends Catalogue>(
  client: Client,
  options: CaptureOptions & CatalogueOption<Client, Cat>,
): Captured<Client, Cat>;
export function withCapture(
  client: PrismaClientLike,
  { catalogue, logger = defaultLogger(), ...given }: CaptureOptions & { readonly catalogue: Catalogue },
): unknown {
  const options = { ...given, logger };
  if ('$append' in client) throw new CaptureError('withCapture was given a client that has capture already');
  assertPrismaVersion(client);
  const internals = readInternals(client);
  if (stampedComments(client)['signalbox'] === undefined) throw new CaptureError(unmarked);
  if (!internals.fenced) throw new CaptureError(unfenced);
  const relations = readRelations(internals.schema);
  const captured = capturedModels(catalogue);
  const foreignKeys = hasForeignKeys(internals.schema);
  const cascades = refuseCascades(captured, relations, { foreignKeys });
  const models = readModels(captured, internals);
  const graph = readGraph(models, relations, internals);
  const triggers = new TriggersBeside(internals, catalogue.aggregates);
  const uncaptured = new UncapturedWrites(models, graph, triggers, options.source);
  const guard = new CascadeGuard(cascades, triggers, options.source);
  const family = ClientFamily.of(internals, uncaptured, guard);
  const checked = probe(internals);
  checked.catch((error: unknown) => logger.error({ err: error }, 'capture refuses all writes'));
  const engine = new CaptureEngine(family, models, graph, cascades, options, checked);
  const extension = {
    name: 'signalbox-capture',
    client: {
      // By it the family knows the clients with capture: this one, and what others make of it by $extends.
      [captureKey]: engine,
      async $append(this: object, eventType: string, event: ExplicitEvent) {
        return append(engine, explicitAppend(this, catalogue, eventType, event));
      },
    },
  };
  return client.$extends(extension as never);
}

const unmarked =
  'withCapture was given a client that does not mark its statements, so installed triggers would write each event a ' +
  'second time: create it with createPrismaClient, or with comments: [markedComments()].';

const unfenced =
  'withCapture was given a client whose adapter lets statements of an operation pass the end of its transaction, so a ' +
  'time-out could leave changes without events: create it with createPrismaClient, or with new FencedPrismaPg(…).';

async function append(
  engine: CaptureEngine,
  { transactionId: id, event }: ReturnType<typeof explicitAppend>,
): Promise<{ eventId: string }> {
  return engine.within({ kind: 'itx', id }, async (session, unit) => {
    try {
      await lockKey(session.execute, event.aggregateId);
      const [eventId = ''] = await session.append([event], event.aggregateType);
      return { eventId };
    } catch (error) {
      unit.hasFailed = true;
      throw error;
    }
  });
}
