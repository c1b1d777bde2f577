import { isSilent, statementMode } from '../statementComments';
import { keepContexts } from '../keepContexts';
import {
  type ExecuteRequest,
  extensionOf,
  type HandledTransaction,
  handler,
  type InteractiveTransaction,
  type Internals,
  type OriginalClient,
  type Request,
} from '../internals';
import type { CascadeGuard } from './cascadeGuard';
import { strategies } from './operations';
import { Session } from './session';
import { joinedTransaction, Transactions } from './transactions';
import type { UncapturedWrites } from './uncapturedWrites';
import type { TransactionUnit } from './unit';

/*
 * All clients that share one connection pool: the one that `new PrismaClient()` made, those that `$extends` made of it,
 * and those of their transactions. Capture takes their requests where they leave the client, behind the query hooks of
 * every extension. There the arguments and the transaction are final, and no code of an extension runs between the
 * locks, the write and its events: so no hook can wait for what its own write holds.
 *
 * A request is one of four things. Sent by capture itself, it goes out as it is. Called on a client with capture, it is
 * captured. A write of a captured model called on another client of the family is left to the triggers, and refused
 * where there are none. Anything else, and whatever withoutCapture surrounds, passes.
 */

/** Under this key a client with capture shows its engine to the family. */
export const captureKey = Symbol.for('signalbox.capture');

export interface Capture {
  /**
   * Sends a request together with its events; undefined for one that means none.
   * @throws CaptureError for a request whose events could not be found.
   */
  take(
    client: object,
    request: Request,
    transaction: InteractiveTransaction | undefined,
  ): Promise<unknown> | undefined;
}

const familyKey = Symbol.for('signalbox.family');

export class ClientFamily {
  /** Interactive transactions under way, by Prisma's id. */
  readonly units = new Map<string, TransactionUnit>();
  readonly #executeRequest: ExecuteRequest;

  private constructor(
    readonly internals: Internals,
    readonly uncaptured: UncapturedWrites,
    readonly cascades: CascadeGuard,
  ) {
    const { original, loader, engine } = internals;
    const transactions = new Transactions(this, original.$transaction);
    this.#executeRequest = original._executeRequest;
    const execute = (client: object, request: Request): Promise<unknown> => this.#execute(client, request);
    original._executeRequest = function (request) {
      return execute(this, request);
    };
    original.$transaction = function (input, options) {
      return transactions.begin(this as object, input, options);
    };
    keepContexts(loader, engine);
  }

  /** The family of a client; from the first call on its requests are taken. */
  static of(internals: Internals, uncaptured: UncapturedWrites, cascades: CascadeGuard): ClientFamily {
    const holder = internals.original as OriginalClient & { [familyKey]?: ClientFamily };
    return (holder[familyKey] ??= new ClientFamily(internals, uncaptured, cascades));
  }

  /** Statements of capture's own in an interactive transaction; `source` is that of the events that they append. */
  session(id: string, source = ''): Session {
    return new Session(id, this.internals, this.#executeRequest, source);
  }

  /** Sends a write whose events capture appends: installed triggers leave it alone. */
  sendCaptured(client: object, request: Request): Promise<unknown> {
    return statementMode.run(this.cascades.mode, () => this.#executeRequest.call(client, request));
  }

  #execute(client: object, given: Request): Promise<unknown> {
    const handle = (given.transaction as Partial<HandledTransaction> | undefined)?.[handler];
    if (handle) return handle(client, given);
    const joined = joinedTransaction(given.transaction);
    // One of another family stays as it is, and is refused: it would run outside the transaction.
    const request = joined && this.units.has(joined.id) ? { ...given, transaction: joined } : given;
    const itx =
      request.transaction?.kind === 'itx' ? (request.transaction as InteractiveTransaction) : undefined;
    if (isSilent()) return this.#pass(client, request, itx);
    const capture = extensionOf(client, captureKey) as Capture | undefined;
    if (capture) {
      const go = (): Promise<unknown> =>
        capture.take(client, request, itx) ?? this.#pass(client, request, itx);
      return this.cascades.concerns(request)
        ? this.cascades.assertTriggers(itx && this.session(itx.id)).then(go)
        : go();
    }
    if (this.uncaptured.concerns(request)) return this.#leaveToTriggers(client, request, itx);
    return this.#pass(client, request, itx);
  }

  async #leaveToTriggers(
    client: object,
    request: Request,
    itx: InteractiveTransaction | undefined,
  ): Promise<unknown> {
    await this.uncaptured.assertTriggers(request, itx && this.session(itx.id));
    return statementMode.run(this.uncaptured.mode, () => this.#pass(client, request, itx));
  }

  /** Sends a request that capture has no part in. Its transaction is to know of it. */
  #pass(client: object, request: Request, itx: InteractiveTransaction | undefined): Promise<unknown> {
    const send = (): Promise<unknown> => this.#executeRequest.call(client, request);
    const unit = itx && this.units.get(itx.id);
    if (!unit) return send();
    const reads = request.model !== undefined && !strategies.has(request.action);
    return (reads ? send() : unit.runOther(send)).catch((error: unknown) => {
      unit.hasFailed = true;
      throw error;
    });
  }
}
