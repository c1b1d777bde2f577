import type { Aggregate } from '../../../events/aggregate';
import type { CaptureError } from '../../captureError';
import { generate } from '../captureSql/generate';
import { findProblems } from '../installed/check';
import type { Internals } from '../internals';
import { readTables } from '../schema/tables';
import type { Session } from './session';

/** How long a look at the triggers is believed, in milliseconds. */
const lookMs = 60_000;

/** The triggers that tell what the middleware cannot. They may be installed, and may vanish, while a program runs. */
export class TriggersBeside {
  #goodUntil = 0;

  constructor(
    private readonly internals: Internals,
    private readonly aggregates: readonly Aggregate[],
  ) {}

  /**
   * Looks at the triggers, by a session where the request is part of an interactive transaction: the pool may have no
   * other connection to give.
   * @throws what `refuse` makes of the problems, when there are any.
   */
  async assert(session: Session | undefined, refuse: (problem: string) => CaptureError): Promise<void> {
    if (performance.now() < this.#goodUntil) return;
    const [first, ...others] = await this.#problems(session);
    if (first !== undefined) throw refuse(others.length > 0 ? `${first} and ${others.length} more` : first);
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
