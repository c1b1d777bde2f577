/*
 * Sends rows to Kafka in their order, and finds the ones that Kafka refuses.
 *
 * Rows go out in slices, one send at a time; the next slice is built while one is under way. A slice that fails for
 * a message's own fault is halved until the row is found: of 50 rows with 1 bad one, 49 are sent and 1 is set aside.
 * With a send that failed, some of its messages may have arrived: they are sent again, which repeats them and changes
 * no order. What is done is always a beginning of the list, so that cursors can be moved up to it.
 *
 * Once an event is parked, later ones of its aggregate are held (policy "wait") or go on ("pass"). An event whose topic
 * does not exist is held, not parked: nothing is wrong with it.
 */
import { setImmediate } from 'node:timers/promises';
import { batchBytes, type OutgoingMessage } from '../kafka/message';
import type { Publisher, SendFailure } from '../kafka/publisher';
import { aggregateKey } from '../outbox/log/parked';
import type { LogRow } from '../outbox/log/readPage';
import type { SetAside } from '../outbox/log/settle';
import { prepare, type Prepared } from './prepare';

export type PoisonPolicy = 'wait' | 'pass';

export interface PublishOptions {
  readonly publisher: Publisher;
  readonly topicPrefix: string;
  /** Largest message and largest batch of a partition that the brokers take. */
  readonly maxMessageBytes: number;
  readonly policy: PoisonPolicy;
  /** Headers that every message gets beside its own; a replay is marked by them. */
  readonly extraHeaders?: Readonly<Record<string, string>>;
  readonly onSent: (messages: readonly OutgoingMessage[], rows: readonly LogRow[]) => void;
  readonly onPoison: (failure: SendFailure) => void;
  /** When true, nothing more is begun. */
  readonly isStopping: () => boolean;
}

/** A row together with its lane's memory of blocked aggregates, which is added to. */
export interface Work {
  readonly row: LogRow;
  readonly blocked: Set<string>;
}

export interface Publication {
  /** How many rows, from the list's beginning, are sent or set aside. */
  readonly done: number;
  readonly setAside: readonly SetAside[];
  readonly failure?: Exclude<SendFailure, { kind: 'poison' }>;
}

interface Item {
  readonly prepared: Prepared;
  readonly blocked: Set<string>;
}

/** Most messages of one send: beyond this a larger request gains nothing and holds up everything else. */
const sliceRows = 2_000;

export async function publishInOrder(work: readonly Work[], options: PublishOptions): Promise<Publication> {
  const setAside: SetAside[] = [];
  let done = 0;
  let next = slice(work, 0, options);
  while (next.length > 0 && !options.isStopping()) {
    const current = next;
    const after = done + current.length;
    // The client encodes and writes first; the next slice is built while the broker works. Both are waited for from
    // the start: a send that fails meanwhile is met.
    const [result, following] = await Promise.all([
      sendHalving(current, options, setAside),
      setImmediate().then(() => slice(work, after, options)),
    ]);
    next = following;
    done += result.done;
    if (result.failure) return { done, setAside, failure: result.failure };
  }
  return { done, setAside };
}

/**
 * The rows from `start` on that go into one send. Brokers limit the batch of a partition; which partition a key
 * belongs to is the client's business, so no topic gets more than that limit.
 */
function slice(work: readonly Work[], start: number, options: PublishOptions): Item[] {
  const items: Item[] = [];
  const bytesByTopic = new Map<string, number>();
  for (let index = start; index < work.length && items.length < sliceRows; index += 1) {
    const entry = work[index];
    if (!entry) break;
    const prepared = prepare(entry.row, options);
    if ('message' in prepared) {
      const { topic, bytes } = prepared.message;
      const total = (bytesByTopic.get(topic) ?? 0) + bytes;
      if (batchBytes(total) > options.maxMessageBytes) break;
      bytesByTopic.set(topic, total);
    }
    items.push({ prepared, blocked: entry.blocked });
  }
  return items;
}

interface SliceResult {
  readonly done: number;
  readonly failure?: Exclude<SendFailure, { kind: 'poison' }>;
}

async function sendHalving(
  items: readonly Item[],
  options: PublishOptions,
  setAside: SetAside[],
): Promise<SliceResult> {
  const decision = decide(items, options);
  if (decision.messages.length > 0) {
    const outcome = await options.publisher.send(decision.messages);
    if (outcome.kind === 'poison') {
      options.onPoison(outcome);
      return items.length === 1
        ? park(items, outcome, options, setAside)
        : sendHalves(items, options, setAside);
    }
    if (outcome.kind !== 'sent') return { done: 0, failure: outcome };
    options.onSent(decision.messages, decision.rows);
  }
  setAside.push(...decision.setAside);
  for (const { blocked, key } of decision.newlyBlocked) blocked.add(key);
  return { done: items.length };
}

async function sendHalves(
  items: readonly Item[],
  options: PublishOptions,
  setAside: SetAside[],
): Promise<SliceResult> {
  const middle = Math.ceil(items.length / 2);
  const first = await sendHalving(items.slice(0, middle), options, setAside);
  if (first.failure) return first;
  const second = await sendHalving(items.slice(middle), options, setAside);
  return { ...second, done: first.done + second.done };
}

function park(
  items: readonly Item[],
  { type, reason }: Extract<SendFailure, { kind: 'poison' }>,
  { policy }: PublishOptions,
  setAside: SetAside[],
): SliceResult {
  for (const { prepared, blocked } of items) {
    const { row } = prepared;
    setAside.push({ row, state: 'parked', reason, detail: `Kafka refuses the message: ${type}.` });
    if (policy === 'wait') blocked.add(aggregateKey(row));
  }
  return { done: items.length };
}

interface Decision {
  readonly messages: OutgoingMessage[];
  readonly rows: LogRow[];
  readonly setAside: SetAside[];
  /** Applied only when the send has succeeded. */
  readonly newlyBlocked: { readonly blocked: Set<string>; readonly key: string }[];
}

/** What is sent and what is set aside, were all of the items' messages accepted. */
function decide(items: readonly Item[], { publisher, policy }: PublishOptions): Decision {
  const decision: Decision = { messages: [], rows: [], setAside: [], newlyBlocked: [] };
  const blockedHere = new Set<string>();
  for (const { prepared, blocked } of items) {
    const key = aggregateKey(prepared.row);
    const aside = reasonToWait(prepared, blocked.has(key) || blockedHere.has(key), publisher);
    if (!aside) {
      if (!('message' in prepared)) continue;
      decision.messages.push(prepared.message);
      decision.rows.push(prepared.row);
      continue;
    }
    decision.setAside.push(aside);
    if (aside.state === 'parked' && policy === 'pass') continue;
    blockedHere.add(key);
    decision.newlyBlocked.push({ blocked, key });
  }
  return decision;
}

function reasonToWait(prepared: Prepared, isBehind: boolean, publisher: Publisher): SetAside | undefined {
  const { row } = prepared;
  if (isBehind) {
    const detail = 'An earlier event of its aggregate is set aside.';
    return { row, state: 'held', reason: 'behind', detail };
  }
  if (!('message' in prepared)) return { row, state: 'parked', ...prepared.fault };
  const { topic } = prepared.message;
  if (!publisher.missingTopics.has(topic)) return undefined;
  return { row, state: 'held', reason: 'topic_missing', detail: `Kafka has no topic "${topic}".` };
}
