import { Gauge, type Registry } from 'prom-client';
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

  constructor(private readonly limits: AdmissionLimits) {
    this.#total = Math.max(1, limits.poolSize - 1);
    this.#perGroup = Math.ceil(this.#total * 0.8);
  }

  /** How many requests wait now. */
  get waiting(): number {
    return this.#waiting;
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
    if (this.#waiting >= this.limits.waitingRequests || signal?.aborted) throw overloaded();
    await new Promise<void>((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', giveUp);
        group.waiting.delete(waiter);
        this.#waiting -= 1;
      };
      const giveUp = (): void => {
        leave();
        reject(overloaded());
      };
      const begin = (): void => {
        leave();
        this.#start(group);
        resolve();
      };
      const waiter: Waiter = { begin, since: performance.now() };
      const timer = setTimeout(giveUp, this.limits.waitMs);
      signal?.addEventListener('abort', giveUp);
      group.waiting.add(waiter);
      this.#waiting += 1;
    });
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

/** Shows how many requests wait. */
export function observeAdmission(admission: Admission, metrics: Registry): void {
  const gauge: Gauge = new Gauge({
    name: 'http_requests_waiting',
    help: 'Requests that wait for their turn to use the database',
    registers: [metrics],
    collect: () => gauge.set(admission.waiting),
  });
}
