import type { Aggregate } from '../../../events/aggregate';
import { capturedStatements, type StatementComments, type StatementMode } from '../statementComments';
import { findProblems } from '../installed/check';
import { contextComments } from '../contextComments';
import { generate } from '../captureSql/generate';
import type { Relation } from '../schema/relations';
import { readTables } from '../schema/tables';
import { CaptureError } from '../../captureError';
import type { Internals, LazyPromise, Request } from '../internals';
import { type Cascades, needsTriggers } from './cascades';
import type { CapturedModel } from './model';
import type { NestedGraph } from './nested/graph';
import { planNested } from './nested/plan';
import { strategies } from './operations';
import { writtenModels } from './rawSql';
import type { Args } from './selection';
import type { Session } from './session';

/*
 * Writes of captured models by a client without capture: an extension applied before withCapture that writes with the
 * client which it closes over, or the caller of the client that withCapture was given. Capture has no part in them, so
 * their events must come from triggers.
 */

/** How long a look at the triggers is believed, in milliseconds. */
const lookMs = 60_000;

export class UncapturedWrites {
  /** Their statements carry the request's context to the triggers. */
  readonly mode: StatementMode;
  /** That of the statements which capture sends: triggers need the context where those set off cascades. */
  readonly capturedMode: StatementMode;
  /** One of the relations that need triggers. */
  readonly #cascade: Relation | undefined;
  #goodUntil = 0;

  constructor(
    private readonly internals: Internals,
    private readonly models: ReadonlyMap<string, CapturedModel>,
    private readonly graph: NestedGraph,
    cascades: Cascades,
    private readonly aggregates: readonly Aggregate[],
    source: string,
  ) {
    this.#cascade = cascades.all[0];
    const comment = contextComments({ source });
    this.mode = { kind: 'uncaptured', comment };
    this.capturedMode = this.#cascade ? withContext(capturedStatements, comment) : capturedStatements;
  }

  /** Whether an element of a batch may write rows of captured models, or may be raw SQL. */
  mayConcern(spec: LazyPromise['spec']): boolean {
    if (spec?.model === undefined) return true;
    if (this.mayCascade({ model: spec.model, action: spec.action ?? '' })) return true;
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

  /** Whether a request may set off what only triggers can tell: raw SQL may do anything, new rows set off nothing. */
  mayCascade({ model, action }: Pick<Request, 'model' | 'action'>): boolean {
    if (!this.#cascade) return false;
    return model === undefined || (strategies.has(action) && !action.startsWith('create'));
  }

  /** @throws CaptureError when there are no triggers that would write the events of a cascade. */
  async assertCascades(session: Session | undefined): Promise<void> {
    await this.#assert(session, (problems) => cascadeRefusal(this.#cascade, problems));
  }

  /**
   * Looks at the triggers, by a session where the request is part of an interactive transaction.
   * @throws CaptureError when there are none that would write the events of the request.
   */
  async assertTriggers(request: Request, session: Session | undefined): Promise<void> {
    await this.#assert(session, (problems) => refusal(request, problems));
  }

  async #assert(
    session: Session | undefined,
    refuse: (problems: readonly string[]) => CaptureError,
  ): Promise<void> {
    if (performance.now() < this.#goodUntil) return;
    const problems = await this.#problems(session);
    if (problems.length > 0) throw refuse(problems);
    this.#goodUntil = performance.now() + lookMs;
  }

  async #problems(session: Session | undefined): Promise<string[]> {
    const { base, schema, defaultSchema } = this.internals;
    const found = await findProblems(
      async (sql, ...parameters) =>
        session ? session.execute(sql, parameters) : base.$queryRawUnsafe(sql, ...parameters),
      generate(this.aggregates, readTables(schema)),
      defaultSchema,
    );
    return found.map(({ problem }) => problem);
  }
}

const withContext = ({ kind, comment }: StatementMode, context: StatementComments): StatementMode => ({
  kind,
  comment: (statement) => {
    const mark = comment(statement);
    return 'signalbox' in mark ? { ...context(statement), ...mark } : mark;
  },
});

function cascadeRefusal(cascade: Relation | undefined, problems: readonly string[]): CaptureError {
  return new CaptureError(
    `${cascade ? needsTriggers(cascade) : ''}, and they are not as they should be (${firstOf(problems)}). Install them ` +
      '("npx signalbox sync", "npx signalbox migrate"), or set "Restrict" and delete or change those rows first.',
  );
}

const firstOf = ([first = '', ...others]: readonly string[]): string =>
  others.length > 0 ? `${first} and ${others.length} more` : first;

function refusal({ model, action, clientMethod }: Request, problems: readonly string[]): CaptureError {
  const what = model === undefined ? clientMethod : `"${action}" of ${model}`;
  return new CaptureError(
    `${what} was called on a client without capture, by an extension applied before withCapture or with the client that ` +
      `withCapture was given, and no trigger would write its events (${firstOf(problems)}). Apply the extension ` +
      'after withCapture and let it write with the captured client, install the triggers ("npx signalbox sync", ' +
      '"npx signalbox migrate"), or write without events by withoutCapture(() => …).',
  );
}
