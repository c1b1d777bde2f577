/*
 * Sends rows to Kafka in their order, and finds the ones that Kafka refuses.
 *
 * Rows go out in slices, one send at a time; the next slice is built while one is under way. A slice that fails for
 * a message's own fault is halved until the row is found: of 50 rows with 1 bad one, 49 are sent and 1 is set aside.
 * With a send that failed, some of its messages may have arrived: they are sent again, which repeats them and changes
 * no order. What is done is always a beginning of the list, so that cursors can be moved up to it.
 *
 * Once an event is parked, later ones of its aggregate are held (policy "wait") or go on ("pass"). An event whose topic
 * cannot be used is held, not parked: nothing is wrong with it. The first message of a topic that nothing is known of
 * is a slice by itself, so that it fails alone. When no topic can be written to, nothing is held: that is an outage,
 * and the rows stay where they are.
 */
import { setImmediate } from 'node:timers/promises';
import { batchBytes, type OutgoingMessage } from '../kafka/messages/message';
import type { Publisher } from '../kafka/publish/publisher';
import type { SendFailure } from '../kafka/sendFailure';
import { describeTopicTrouble, type TopicTrouble } from '../kafka/topics/topicTrouble';
import { aggregateKey } from '../outbox/log/parked';
import type { LogRow } from '../outbox/log/readPage';
import type { SetAside, SetAsideReason } from '../outbox/log/settle';
import { prepare, type Prepared } from './prepare';
import type { Catalogue } from '../events/catalogue';

export type PoisonPolicy = 'wait' | 'pass';

export interface PublishOptions {
  /** What may be published. */
  readonly catalogue: Catalogue;
  readonly publisher: Publisher;
  readonly topicPrefix: string;
  /** Largest message and largest batch of a partition that the brokers take. */
  readonly maxMessageBytes: number;
  readonly policy: PoisonPolicy;
  /** The name under which Kafka knows this program, for people. */
  readonly account?: string | undefined;
  /** Headers that every message gets beside its own; a replay is marked by them. */
  readonly extraHeaders?: Readonly<Record<string, string>>;
  readonly onSent: (messages: readonly OutgoingMessage[], rows: readonly LogRow[]) => void;
  readonly onPoison: (failure: SendFailure) => void;
  /** A send failed for the sake of a topic, with this error of Kafka's. */
  readonly onTopicFailure?: (type: string) => void;
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
  const progress: Progress = { sent: false, setAside: [], newlyBlocked: [], keptBy: new Map() };
  const { setAside } = progress;
  let done = 0;
  let next = slice(work, 0, options);
  while (next.length > 0 && !options.isStopping()) {
    const current = next;
    const after = done + current.length;
    // The client encodes and writes first; the next slice is built while the broker works. Both are waited for from
    // the start: a send that fails meanwhile is met.
    const [result, following] = await Promise.all([
      sendHalving(current, options, progress),
      setImmediate().then(() => slice(work, after, options)),
    ]);
    done += result.done;
    if (result.failure) return outageOf(progress, options) ?? { done, setAside, failure: result.failure };
    // What is known of the topics has changed, so the rest of the slice is cut anew.
    next = result.done < current.length ? slice(work, done, options) : following;
  }
  return outageOf(progress, options) ?? { done, setAside };
}

/** What has come of the rows so far, beside what was sent. */
interface Progress {
  sent: boolean;
  readonly setAside: SetAside[];
  /** What was added to the memories of blocked aggregates. */
  readonly newlyBlocked: { readonly blocked: Set<string>; readonly key: string }[];
  /** The topics for whose sake rows were held. */
  readonly keptBy: Map<string, TopicTrouble>;
}

/**
 * During an outage nothing was sent, and nothing is to be held: in hours of it, that would be all of the outbox. Takes
 * back what the memories were told.
 */
function outageOf(progress: Progress, { publisher }: PublishOptions): Publication | undefined {
  const { sent, newlyBlocked, keptBy } = progress;
  if (sent) return undefined;
  const trouble = [...keptBy.values()].find(({ topic }) => publisher.isOutage(topic));
  if (!trouble) return undefined;
  for (const { blocked, key } of newlyBlocked) blocked.delete(key);
  return { done: 0, setAside: [], failure: { kind: 'retryable', type: trouble.type } };
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
      if (isTrial(topic, options)) return items.length > 0 ? items : [{ prepared, blocked: entry.blocked }];
    }
    items.push({ prepared, blocked: entry.blocked });
  }
  return items;
}

function isTrial(topic: string, { publisher }: PublishOptions): boolean {
  return !publisher.isProven(topic) && !publisher.topicTroubles.has(topic);
}

interface SliceResult {
  /** How many of the items; fewer than there were, without a failure, when the slice is to be cut anew. */
  readonly done: number;
  readonly failure?: Exclude<SendFailure, { kind: 'poison' }>;
}

async function sendHalving(
  items: readonly Item[],
  options: PublishOptions,
  progress: Progress,
): Promise<SliceResult> {
  const decision = decide(items, options);
  if (decision.messages.length > 0) {
    const outcome = await options.publisher.send(decision.messages);
    if (outcome.kind === 'poison') {
      options.onPoison(outcome);
      return items.length === 1
        ? park(items, outcome, options, progress)
        : sendHalves(items, options, progress);
    }
    if (outcome.kind === 'topics changed') {
      options.onTopicFailure?.(outcome.type);
      return { done: 0 };
    }
    if (outcome.kind !== 'sent') return { done: 0, failure: outcome };
    progress.sent = true;
    options.onSent(decision.messages, decision.rows);
  }
  progress.setAside.push(...decision.setAside);
  for (const trouble of decision.keptBy) progress.keptBy.set(trouble.topic, trouble);
  for (const { blocked, key } of decision.newlyBlocked) block(blocked, key, progress);
  return { done: items.length };
}

function block(blocked: Set<string>, key: string, { newlyBlocked }: Progress): void {
  if (blocked.has(key)) return;
  blocked.add(key);
  newlyBlocked.push({ blocked, key });
}

async function sendHalves(
  items: readonly Item[],
  options: PublishOptions,
  progress: Progress,
): Promise<SliceResult> {
  const middle = Math.ceil(items.length / 2);
  const first = await sendHalving(items.slice(0, middle), options, progress);
  if (first.done < middle) return first;
  const second = await sendHalving(items.slice(middle), options, progress);
  return { ...second, done: first.done + second.done };
}

function park(
  items: readonly Item[],
  { type, reason }: Extract<SendFailure, { kind: 'poison' }>,
  { policy }: PublishOptions,
  progress: Progress,
): SliceResult {
  for (const { prepared, blocked } of items) {
    const { row } = prepared;
    progress.setAside.push({ row, state: 'parked', reason, detail: `Kafka refuses the message: ${type}.` });
    if (policy === 'wait') block(blocked, aggregateKey(row), progress);
  }
  return { done: items.length };
}

interface Decision {
  readonly messages: OutgoingMessage[];
  readonly rows: LogRow[];
  readonly setAside: SetAside[];
  /** Of what is held for its topic's sake. */
  readonly keptBy: TopicTrouble[];
  /** Applied only when the send has succeeded. */
  readonly newlyBlocked: { readonly blocked: Set<string>; readonly key: string }[];
}

/** What is sent and what is set aside, were all of the items' messages accepted. */
function decide(items: readonly Item[], { publisher, policy, account }: PublishOptions): Decision {
  const decision: Decision = { messages: [], rows: [], setAside: [], keptBy: [], newlyBlocked: [] };
  const blockedHere = new Set<string>();
  for (const { prepared, blocked } of items) {
    const key = aggregateKey(prepared.row);
    const isBehind = blocked.has(key) || blockedHere.has(key);
    const trouble = 'message' in prepared ? publisher.topicTroubles.get(prepared.message.topic) : undefined;
    const aside = reasonToWait(prepared, isBehind, trouble, account);
    if (!aside) {
      if (!('message' in prepared)) continue;
      decision.messages.push(prepared.message);
      decision.rows.push(prepared.row);
      continue;
    }
    if (trouble && !isBehind) decision.keptBy.push(trouble);
    decision.setAside.push(aside);
    if (aside.state === 'parked' && policy === 'pass') continue;
    blockedHere.add(key);
    decision.newlyBlocked.push({ blocked, key });
  }
  return decision;
}

const reasons: Readonly<Record<TopicTrouble['state'], SetAsideReason>> = {
  missing: 'topic_missing',
  refused: 'topic_refused',
  unavailable: 'topic_unavailable',
};

function reasonToWait(
  prepared: Prepared,
  isBehind: boolean,
  trouble: TopicTrouble | undefined,
  account: string | undefined,
): SetAside | undefined {
  const { row } = prepared;
  if (isBehind) {
    const detail = 'An earlier event of its aggregate is set aside.';
    return { row, state: 'held', reason: 'behind', detail };
  }
  if (!('message' in prepared)) return { row, state: 'parked', ...prepared.fault };
  if (!trouble) return undefined;
  return {
    row,
    state: 'held',
    reason: reasons[trouble.state],
    detail: describeTopicTrouble(trouble, account),
  };
}
