import { randomUUID } from 'node:crypto';
import { type EventContext, withContext } from '../../src/outbox/context';
import type { Variant } from './variant';

/** What is measured: one kind of write, at one concurrency. */
export interface Scenario {
  readonly name: string;
  readonly concurrency: number;
  /** Rows that one operation writes. */
  readonly rows: number;
  /** One operation of one worker; undefined where the variant has no such operation. */
  prepare(variant: Variant): Promise<((worker: number) => Promise<void>) | undefined>;
}

export interface NewPatient {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly phone: string;
}

export const newPatient = (id: string = randomUUID()): NewPatient => ({
  id,
  name: 'Bench Patient',
  email: `${id}@example.com`,
  phone: '+49 30 123456',
});

/** Patients to update, whose ids follow each other: a range of them holds no row that another scenario has made. */
export function neighbours(count: number): NewPatient[] {
  const prefix = randomUUID().slice(0, -12);
  return Array.from({ length: count }, (_, nr) => newPatient(prefix + String(nr).padStart(12, '0')));
}

/** What a request brings along: ids as long as real ones. */
const requestContext = (): EventContext => ({
  correlationId: randomUUID(),
  actor: 'user:4711',
  traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
});

const inRequest = (work: () => Promise<unknown>): Promise<void> =>
  withContext(requestContext(), async () => void (await work()));

const create = (concurrency: number): Scenario => ({
  name: 'create',
  concurrency,
  rows: 1,
  prepare: async ({ create: operation }) =>
    operation && (() => inRequest(async () => operation(newPatient()))),
});

/** Each worker has rows of its own, so that nobody waits for a lock. */
const update = (concurrency: number): Scenario => ({
  name: 'update',
  concurrency,
  rows: 1,
  prepare: async ({ update: operation, seed }) => {
    if (!operation) return undefined;
    const ids = await seed(concurrency * 20);
    let count = 0;
    return (worker) => {
      count += 1;
      const id = ids[worker * 20 + (count % 20)] ?? '';
      return inRequest(async () => operation(id, `phone ${count}`));
    };
  },
});

const createMany = (rows: number): Scenario => ({
  name: `createMany of ${rows}`,
  concurrency: 1,
  rows,
  prepare: async ({ createMany: operation }) =>
    operation && (() => inRequest(async () => operation(Array.from({ length: rows }, () => newPatient())))),
});

const updateMany = (rows: number): Scenario => ({
  name: `updateMany of ${rows}`,
  concurrency: 1,
  rows,
  prepare: async ({ updateMany: operation, seed }) => {
    if (!operation) return undefined;
    const ids = await seed(rows);
    let count = 0;
    return () => {
      count += 1;
      return inRequest(async () => operation(ids, `phone ${count}`));
    };
  },
});

export const scenarios = (bulk: number): Scenario[] => [
  create(1),
  create(16),
  update(1),
  update(16),
  createMany(bulk),
  updateMany(bulk),
];
