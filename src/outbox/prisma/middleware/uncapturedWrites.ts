import { CaptureError } from '../../captureError';
import { contextComments } from '../contextComments';
import type { LazyPromise, Request } from '../internals';
import type { StatementMode } from '../statementComments';
import type { CapturedModel } from './model';
import type { NestedGraph } from './nested/graph';
import { planNested } from './nested/plan';
import { strategies } from './operations';
import { writtenModels } from './rawSql';
import type { Args } from './selection';
import type { Session } from './session';
import type { TriggersBeside } from './triggersBeside';

/*
 * Writes of captured models by a client without capture: an extension applied before withCapture that writes with the
 * client which it closes over, or the caller of the client that withCapture was given. Capture has no part in them, so
 * their events must come from triggers.
 */

export class UncapturedWrites {
  /** Their statements carry the request's context to the triggers. */
  readonly mode: StatementMode;

  constructor(
    private readonly models: ReadonlyMap<string, CapturedModel>,
    private readonly graph: NestedGraph,
    private readonly triggers: TriggersBeside,
    source: string,
  ) {
    this.mode = { kind: 'uncaptured', comment: contextComments({ source }) };
  }

  /** Whether an element of a batch may write rows of captured models, or may be raw SQL. */
  mayConcern(spec: LazyPromise['spec']): boolean {
    if (spec?.model === undefined) return true;
    return this.graph.models.has(spec.model) && strategies.has(spec.action ?? '');
  }

  /** Whether a request writes rows of captured models. */
  concerns({ model, action, args }: Request): boolean {
    if (model === undefined) return writtenModels(this.models, args).length > 0;
    if (!strategies.has(action)) return false;
    if (this.models.has(model)) return true;
    try {
      return planNested(this.graph, model, action, (args ?? {}) as Args) !== undefined;
    } catch (error) {
      // Nested writes that the middleware would refuse: they reach captured models.
      if (error instanceof CaptureError) return true;
      throw error;
    }
  }

  /** @throws CaptureError when there are no triggers that would write the events of the request. */
  async assertTriggers(request: Request, session: Session | undefined): Promise<void> {
    await this.triggers.assert(session, (problem) => refusal(request, problem));
  }
}

function refusal({ model, action, clientMethod }: Request, problem: string): CaptureError {
  const what = model === undefined ? clientMethod : `"${action}" of ${model}`;
  return new CaptureError(
    `${what} was called on a client without capture, by an extension applied before withCapture or with the client that ` +
      `withCapture was given, and no trigger would write its events (${problem}). Apply the extension ` +
      'after withCapture and let it write with the captured client, install the triggers ("npx signalbox sync", ' +
      '"npx signalbox migrate"), or write without events by withoutCapture(() => …).',
  );
}
