/*
 * One look at the outbox: read a page of every lane, publish, settle. The loop around it is relay.ts; tests step it.
 *
 *   read     opens one batch for all lanes and reads the next page of each (two round trips, whatever the lanes)
 *   publish  sends the rows lane by lane, in order; what is done is a beginning of each lane's page
 *   settle   moves the cursors over what is done, under the lease's epoch, in one statement
 *
 * A crash between publish and settle repeats what was published since: never more than one look's pages. A lane whose
 * lease turns out to be lost is dropped, with the pages read ahead of it.
 *
 * When a page was full there is more to come: the next look is read while this one is sent, from the cursors as they
 * will be. If publishing stops early, that reading is thrown away.
 *
 * Lanes with a backlog share the rows of a look: with sixteen of them, each gives a few hundred, and what is in memory
 * stays small; with one, it gives a whole page. Which have a backlog is known from the last look; of a burst that it
 * did not see, each lane gives a page, once.
 */
import type { Pool } from 'pg';
import type { SendFailure } from '../kafka/sendFailure';
import { batchDone, type Cursor, pageRequest, withinBatch } from '../outbox/log/cursor';
import { look } from '../outbox/log/look';
import { type Page, type PageLimits } from '../outbox/log/readPage';
import { type LaneProgress, type SetAside, settle } from '../outbox/log/settle';
import type { Logger } from '../shared/logger';
import type { OwnedLane } from './lanes';
import type { LaneLeases } from './leases';
import { type RelayMetrics, timed } from './metrics';
import { type Publication, publishInOrder, type PublishOptions, type Work } from './publishInOrder';

export interface TickOptions {
  readonly database: Pool;
  readonly leases: LaneLeases;
  readonly publishing: PublishOptions;
  readonly limits: PageLimits;
  readonly logger: Logger;
  readonly metrics: RelayMetrics;
}

export interface TickResult {
  readonly published: number;
  readonly setAside: number;
  /** Whether there is more to publish at once. */
  readonly more: boolean;
  /** Why it ended early; what was done before is settled. */
  readonly failure?: Exclude<SendFailure, { kind: 'poison' }>;
}

interface LanePage {
  /** Of the server, when it was read. */
  readonly life: string;
  readonly lane: OwnedLane;
  readonly page: Page;
}

/** What was read before holds no longer (cursor.ts); the lanes are to be read anew. Nobody has taken them. */
export class PostgresCrashed extends Error {
  override readonly name = 'PostgresCrashed';
  constructor() {
    super('Postgres was restarted after a crash since the batch was opened; the batch is looked for again');
  }
}

/** Rows of one look over all lanes: two sends, an eighth of a second's work. */
const lookRows = 4_000;

export class Tick {
  /** The server's, at the last look: the memory of lanes is of it, or younger. */
  #life: string | undefined;
  #ahead: Promise<LanePage[]> | undefined;
  /** How many lanes had more than their page in the last look; unknown, and taken for all, when none had. */
  #busyLanes = 0;

  constructor(private readonly options: TickOptions) {}

  /** Rejects when the database fails; the memory of all lanes is thrown away then, for the leases to read it anew. */
  async run(): Promise<TickResult> {
    const { metrics } = this.options;
    let complete = false;
    try {
      const pages = await timed(metrics, 'read', () => this.#nextPages());
      const total = pages.reduce((sum, { page }) => sum + page.rows.length, 0);
      const more = pages.some(({ page }) => page.full || page.request.resumed);
      if (more) this.#readAhead(pages);
      const publication = await this.#publish(pages, total);
      await this.#settle(pages, publication);
      const { done, setAside, failure } = publication;
      complete = done === total;
      const counts = { published: done - setAside.length, setAside: setAside.length };
      return { ...counts, more: more || !complete, ...(failure ? { failure } : {}) };
    } catch (error) {
      this.options.leases.forgetAll();
      this.#life = undefined;
      throw error;
    } finally {
      // What was read ahead starts where these pages end: worthless, and wrong, unless all of them are done.
      if (!complete) await this.discard();
    }
  }

  /** Throws away what was read ahead. */
  async discard(): Promise<void> {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    await ahead?.catch(() => undefined);
  }

  async #nextPages(): Promise<LanePage[]> {
    const ahead = this.#ahead;
    this.#ahead = undefined;
    const { leases } = this.options;
    const pages = ahead ? await ahead : await this.#read(leases.current().map((lane) => [lane, lane.cursor]));
    const current = new Set(leases.current());
    return pages.filter(({ lane }) => current.has(lane));
  }

  #readAhead(pages: readonly LanePage[]): void {
    const cursors = new Map(pages.map((page) => [page.lane, cursorAfter(page, page.page.rows.length)]));
    const lanes = this.options.leases.current();
    this.#ahead = this.#read(lanes.map((lane) => [lane, cursors.get(lane) ?? lane.cursor]));
    // A failure is met when the pages are asked for.
    this.#ahead.catch(() => undefined);
  }

  async #read(lanes: readonly (readonly [OwnedLane, Cursor])[]): Promise<LanePage[]> {
    if (lanes.length === 0) return [];
    const { database, limits } = this.options;
    const share = Math.ceil(lookRows / (this.#busyLanes || lanes.length));
    let life = '';
    const pages = await look(
      database,
      (now) => {
        life = this.#sameLife(now.life);
        return lanes.map(([{ lane }, cursor]) => pageRequest(lane, cursor, now));
      },
      { ...limits, rows: Math.min(limits.rows, share) },
    );
    this.#busyLanes = pages.filter(({ full }) => full).length;
    return lanes.flatMap(([lane], index) => {
      const page = pages[index];
      return page ? [{ lane, page, life }] : [];
    });
  }

  #sameLife(life: string): string {
    this.#life ??= life;
    if (this.#life !== life) throw new PostgresCrashed();
    return life;
  }

  async #publish(pages: readonly LanePage[], total: number): Promise<Publication> {
    if (total === 0) return { done: 0, setAside: [] };
    const work = pages.flatMap(({ lane, page }) =>
      page.rows.map((row): Work => ({ row, blocked: lane.blocked })),
    );
    return timed(this.options.metrics, 'publish', () => publishInOrder(work, this.options.publishing));
  }

  /** The table is written for lanes with rows only; the memory of the others moves on all the same. */
  async #settle(pages: readonly LanePage[], { done, setAside }: Publication): Promise<void> {
    const { database, leases, metrics } = this.options;
    const moves: { lane: OwnedLane; cursor: Cursor; progress?: LaneProgress }[] = [];
    let before = 0;
    for (const lanePage of pages) {
      const { lane, page } = lanePage;
      const rows = Math.max(0, Math.min(page.rows.length, done - before));
      before += page.rows.length;
      const cursor = cursorAfter(lanePage, rows);
      const last = page.rows[rows - 1];
      if (last) moves.push({ lane, cursor, progress: { ...lane, cursor, lastPosition: last.position } });
      else if (page.rows.length === 0) moves.push({ lane, cursor });
    }
    const progress = moves.flatMap((move) => move.progress ?? []);
    const { lost, crashed } =
      progress.length === 0
        ? { lost: [], crashed: false }
        : await timed(metrics, 'settle', () =>
            settle(database, leases.owner, pages[0]?.life ?? '', progress, setAside),
          );
    if (crashed) throw new PostgresCrashed();
    for (const { lane, cursor } of moves) lane.cursor = cursor;
    leases.lose(moves.map(({ lane }) => lane).filter(({ lane }) => lost.includes(lane)));
    this.#report(setAside.filter(({ row }) => !lost.includes(row.lane)));
  }

  #report(setAside: readonly SetAside[]): void {
    const { logger, metrics } = this.options;
    for (const { row, state, reason, detail } of setAside) {
      metrics.setAside.inc({ state, reason });
      const { eventId, eventType, aggregateType, aggregateId, position } = row;
      const event = { eventId, eventType, aggregateType, aggregateId, position, reason };
      if (state === 'parked') logger.error(event, `parked an event: ${detail}`);
      else logger.debug(event, 'holding an event back');
    }
  }
}

/** A lane's cursor when the first `count` rows of its page are done. */
function cursorAfter({ lane, page }: LanePage, count: number): Cursor {
  const { request, rows, full } = page;
  if (count === rows.length && !full) return batchDone(request);
  const last = rows[count - 1];
  return last ? withinBatch(request, BigInt(last.position)) : lane.cursor;
}
