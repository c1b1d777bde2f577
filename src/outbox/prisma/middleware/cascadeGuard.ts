import { CaptureError } from '../../captureError';
import { contextComments } from '../contextComments';
import type { Request } from '../internals';
import type { Relation } from '../schema/relations';
import { capturedStatements, type StatementComments, type StatementMode } from '../statementComments';
import { type Cascades, needsTriggers } from './cascades';
import { strategies } from './operations';
import type { Session } from './session';
import type { TriggersBeside } from './triggersBeside';

/** Lets writes that may set off a cascade through only where triggers tell its events. */
export class CascadeGuard {
  /** The mode of the statements that capture sends: where they set off cascades, the triggers need the request's context. */
  readonly mode: StatementMode;
  /** One of the relations that need triggers; most schemas that were made for this engine have none. */
  readonly #relation: Relation | undefined;

  constructor(
    { all: [relation] }: Cascades,
    private readonly triggers: TriggersBeside,
    source: string,
  ) {
    this.#relation = relation;
    this.mode = relation ? withContext(capturedStatements, contextComments({ source })) : capturedStatements;
  }

  /** Whether a request may set off what only triggers can tell: raw SQL may do anything, new rows set off nothing. */
  concerns({ model, action }: { readonly model?: string | undefined } & Pick<Request, 'action'>): boolean {
    if (!this.#relation) return false;
    return model === undefined || (strategies.has(action) && !action.startsWith('create'));
  }

  /** @throws CaptureError when there are no triggers that would write the events of a cascade. */
  async assertTriggers(session: Session | undefined): Promise<void> {
    const relation = this.#relation;
    if (relation) await this.triggers.assert(session, (problem) => refusal(relation, problem));
  }
}

const withContext = ({ kind, comment }: StatementMode, context: StatementComments): StatementMode => ({
  kind,
  comment: (statement) => {
    const mark = comment(statement);
    return 'signalbox' in mark ? { ...context(statement), ...mark } : mark;
  },
});

const refusal = (relation: Relation, problem: string): CaptureError =>
  new CaptureError(
    `${needsTriggers(relation)}, and they are not as they should be (${problem}). Install them ("npx signalbox sync", ` +
      '"npx signalbox migrate"), or set "Restrict" and delete or change those rows first.',
  );
