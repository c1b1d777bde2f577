import { Counter, Gauge, type Registry } from 'prom-client';
import { currentGate } from 'signalbox/service';
import { overloaded } from '../problems/requestErrors';

export interface AdmissionLimits {
  /** Connections that the database client may hold. */
  readonly poolSize: number;
  /** Most requests that may wait. */
  readonly waitingRequests: number;
  /** Longest wait, in milliseconds. */
  readonly waitMs: number;
}

/** Why work was not begun: too many wait, it waited too long, or its client left. */
export type Refusal = 'too_many' | 'too_long' | 'client_left';

interface Waiter {
  readonly begin: () => void;
  readonly since: number;
}

interface Group {
  running: number;
  readonly waiting: Set<Waiter>;
}

/*
 * Requests wait for their turn here rather than for a connection in the pool, where nothing can be said of them: here
 * their number is bounded (503 at once beyond it), their time too, and one whose client has left is dropped before it
 * begins. One connection is left for the readiness check, and of the others one group of requests may hold four fifths:
 * when all of one group hang on a lock, the others are served.
 */
export class Admission {
  readonly #groups = new Map<string, Group>();
  readonly #total: number;
  readonly #perGroup: number;
  #running = 0;
  #waiting = 0;
  /** Called with each refusal. */
  onRefused: (reason: Refusal) => void = () => undefined;

  constructor(private readonly limits: AdmissionLimits) {
    this.#total = Math.max(1, limits.poolSize - 1);
    this.#perGroup = Math.ceil(this.#total * 0.8);
  }

  /** How many requests wait now. */
  get waiting(): number {
    return this.#waiting;
  }

  /** How many requests are at work now, and how many may be. */
  get running(): number {
    return this.#running;
  }

  get most(): number {
    return this.#total;
  }

  /** The same service, each of whose methods waits for its turn among those of its group. */
  guard<S extends object>(group: string, service: S): S {
    return new Proxy(service, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== 'function') return member;
        return (...args: unknown[]) =>
          this.run(group, async () => Reflect.apply(member, target, args) as unknown);
      },
    });
  }

  /**
   * Runs work of a group in its turn.
   * @throws HttpProblem (503) when the work was not begun: too many wait, it waited too long, or it was given up.
   */
  async run<T>(name: string, work: () => Promise<T>): Promise<T> {
    const group = this.#groupOf(name);
    if (this.#hasRoom(group)) this.#start(group);
    else await this.#wait(group);
    try {
      return await work();
    } finally {
      group.running -= 1;
      this.#running -= 1;
      this.#startNext();
    }
  }

  #groupOf(name: string): Group {
    const known = this.#groups.get(name);
    if (known) return known;
    const group: Group = { running: 0, waiting: new Set() };
    this.#groups.set(name, group);
    return group;
  }

  #hasRoom(group: Group): boolean {
    return this.#running < this.#total && group.running < this.#perGroup;
  }

  #start(group: Group): void {
    group.running += 1;
    this.#running += 1;
  }

  /** Resolves when the caller has been started. */
  async #wait(group: Group): Promise<void> {
    const signal = currentGate()?.signal;
    if (signal?.aborted) throw this.#refused('client_left');
    if (this.#waiting >= this.limits.waitingRequests) throw this.#refused('too_many');
    await new Promise<void>((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', goAway);
        group.waiting.delete(waiter);
        this.#waiting -= 1;
      };
      const giveUp = (reason: Refusal): void => {
        leave();
        reject(this.#refused(reason));
      };
      const goAway = (): void => giveUp('client_left');
      const begin = (): void => {
        leave();
        this.#start(group);
        resolve();
      };
      const waiter: Waiter = { begin, since: performance.now() };
      const timer = setTimeout(() => giveUp('too_long'), this.limits.waitMs);
      signal?.addEventListener('abort', goAway);
      group.waiting.add(waiter);
      this.#waiting += 1;
    });
  }

  #refused(reason: Refusal): Error {
    this.onRefused(reason);
    return overloaded();
  }

  /** Of the groups that have room, the one whose first has waited longest. So whoever waits finds no room before. */
  #startNext(): void {
    let next: Waiter | undefined;
    for (const group of this.#groups.values()) {
      const [first] = group.waiting;
      if (first && this.#hasRoom(group) && (!next || first.since < next.since)) next = first;
    }
    next?.begin();
  }
}

/** Shows how many requests are at work, wait and were refused. */
export function observeAdmission(admission: Admission, metrics: Registry): void {
  const gauge = (name: string, help: string, value: () => number): void => {
    const created: Gauge = new Gauge({
      name,
      help,
      registers: [metrics],
      collect: () => created.set(value()),
    });
  };
  gauge(
    'http_requests_waiting',
    'Requests that wait for their turn to use the database',
    () => admission.waiting,
  );
  gauge('http_requests_at_work', 'Requests that use the database now', () => admission.running);
  gauge(
    'http_requests_at_work_limit',
    'Requests that may use the database at the same time: one less than the pool has connections',
    () => admission.most,
  );
  const refused = new Counter({
    name: 'http_requests_refused_total',
    help: 'Requests that were answered 503 before they used the database, by reason: too_many wait, it waited too_long, client_left',
    labelNames: ['reason'],
    registers: [metrics],
  });
  for (const reason of ['too_many', 'too_long', 'client_left'] as const) refused.inc({ reason }, 0);
  admission.onRefused = (reason) => refused.inc({ reason });
}
