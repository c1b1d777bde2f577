/*
 * Reads topics and prints what passes the filters, until somebody has seen enough.
 *
 * Without a group it leaves no trace: Kafka's protocol wants some group, so it joins one of a random name, keeps its
 * own positions, commits nothing and removes the group at the end. The positions are asked for before it joins, so
 * nothing that is published after "Listening" is missed, and a lost broker leads to neither gaps nor repetitions.
 */
import { randomUUID } from 'node:crypto';
import type { Catalogue } from '../../events/catalogue';
import { explain, reasonsKnown } from '../../kafka/connection/explain';
import { GroupConsumer } from '../../kafka/groups/groupConsumer';
import type { GroupConsumerOptions } from '../../kafka/groups/groupConsumerOptions';
import { deleteGroup } from '../../kafka/groups/deleteGroup';
import { missingTopics } from '../../kafka/topics/missingTopics';
import { findPositions, type StartAt } from '../../kafka/groups/positions';
import type { ReceivedMessage } from '../../kafka/messages/readMessage';
import { topicPresence } from '../../kafka/topics/topicPresence';
import { withAdmin } from '../../kafka/withAdmin';
import { backoffMs } from '../../shared/backoff';
import { UserError } from '../../shared/lifecycle';
import type { Logger } from '../../shared/logger';
import { sleep } from '../../shared/sleep';
import { isExpected, knownTypes, type Selection } from './arguments';
import { type Filter, matches } from './filter';
import { format, type Format } from './formats';
import type { Output } from './output';
import { type FormatOptions, viewOf } from './view';

export interface TailOptions extends FormatOptions {
  readonly kafka: GroupConsumerOptions['kafka'];
  /** For the error when none of them answers. */
  readonly brokers: readonly string[];
  readonly catalogue: Catalogue;
  readonly topicPrefix: string;
  readonly selection: Selection;
  readonly startAt: StartAt;
  /** A consumer group whose place is kept in Kafka; undefined leaves no trace. */
  readonly group?: string | undefined;
  readonly key?: string | undefined;
  readonly filters: readonly Filter[];
  readonly limit?: number | undefined;
  readonly format: Format;
  /** Keep trying for as long as no broker answers. */
  readonly wait: boolean;
  readonly output: Output;
  /** Prints one line for the person at the terminal, apart from the messages. */
  readonly tell: (line: string) => void;
  readonly logger: Logger;
}

const tries = 4;
const done = { kind: 'done' } as const;

/** Resolves when the limit is reached, the output's reader has gone or the signal is aborted. @throws UserError */
export async function tail(options: TailOptions, signal: AbortSignal): Promise<void> {
  const enough = new AbortController();
  const end = AbortSignal.any([signal, options.output.closed, enough.signal]);
  if (!(await topicsAreThere(options, end))) return;
  const consumer = await createReader(options, end, () => enough.abort());
  const ended = new Promise<void>((resolve) => {
    if (end.aborted) resolve();
    end.addEventListener('abort', () => resolve(), { once: true });
  });
  try {
    await consumer.start();
    await Promise.race([ended, consumer.failed]);
  } finally {
    await consumer.stop();
    if (options.group === undefined) await deleteGroup(options.kafka, consumer.group);
  }
}

async function createReader(
  options: TailOptions,
  end: AbortSignal,
  onEnough: () => void,
): Promise<GroupConsumer> {
  const { kafka, selection, startAt, group, logger, tell } = options;
  const keepsPlace = group !== undefined;
  // A group's committed offsets win, unless a time is asked for.
  const own = !keepsPlace || typeof startAt === 'object';
  const show = createShow(options, onEnough);
  let announced = false;
  return new GroupConsumer({
    kafka,
    group: group ?? `console-${randomUUID()}`,
    topics: selection.topics,
    handle: async (message) => {
      if (end.aborted) return { kind: 'again', afterMs: 1_000 };
      await show(message);
      return done;
    },
    logger,
    fromBeginning: startAt === 'beginning' || !keepsPlace,
    sessionTimeoutMs: 10_000,
    partitionsAtOnce: 1,
    retryMaxMs: 5_000,
    commit: keepsPlace,
    ...(own ? { positions: await findPositions(kafka, selection.topics, startAt) } : {}),
    onAssigned: () => {
      if (!announced) tell(`Listening to ${selection.topics.join(', ')}`);
      announced = true;
    },
  });
}

function createShow(options: TailOptions, onEnough: () => void): (message: ReceivedMessage) => Promise<void> {
  const { output, key, filters, selection, limit } = options;
  let shown = 0;
  return async (message) => {
    const view = viewOf(message, options);
    if (key !== undefined && view.kafka.key !== key) return;
    const original = view.kafka.headers['dlq.original.topic'];
    if (selection.originalTopics && !selection.originalTopics.includes(String(original))) return;
    if (!matches(view, filters)) return;
    await output.write(format(view, options.format, options));
    shown += 1;
    if (shown === limit) onEnough();
  };
}

/** Waits for brokers and topics; false when told to end. @throws UserError when waiting makes no sense. */
async function topicsAreThere(options: TailOptions, end: AbortSignal): Promise<boolean> {
  const { brokers, catalogue, topicPrefix, tell, wait } = options;
  let told = false;
  for (let attempt = 1; !end.aborted; attempt += 1) {
    const { missing, reason } = await findMissing(options);
    if (missing?.length === 0) return true;
    if (missing) {
      const unexpected = missing.find((topic) => !isExpected(catalogue, topic, topicPrefix));
      if (unexpected !== undefined && !wait) {
        throw new UserError(
          `There is no topic "${unexpected}" and no such event type. ${knownTypes(catalogue)}`,
        );
      }
      if (!told) tell(`Waiting for ${missing.join(', ')}; the relay creates topics when it starts.`);
    } else if (attempt >= tries && !wait) {
      throw new UserError(
        `No Kafka broker answers at ${brokers.join(', ')} (${reason}). Start it, set KAFKA_BOOTSTRAP_SERVERS, or give --wait.`,
      );
    } else if (!told) tell(`No Kafka broker answers at ${brokers.join(', ')} yet (${reason}); trying again.`);
    told = true;
    await sleep(backoffMs(attempt, { initialMs: 250, maxMs: 2_000 }), end);
  }
  return false;
}

/** @throws UserError for a topic that this account may not see: it is not missing, and will not appear. */
async function exceptHidden(kafka: TailOptions['kafka'], missing: string[]): Promise<string[]> {
  if (missing.length === 0) return missing;
  const presence = await withAdmin(kafka, (admin) => topicPresence(admin, missing));
  const hidden = missing.filter((topic) => presence.get(topic) === 'hidden');
  if (hidden.length === 0) return missing;
  throw new UserError(
    `This account may not see ${hidden.join(', ')}: it lacks the rights Describe and Read on them.`,
  );
}

/** The topics that are missing, or why that cannot be found out. @throws UserError when waiting cannot help. */
async function findMissing({
  kafka,
  selection,
}: TailOptions): Promise<{ readonly missing?: string[]; readonly reason?: string }> {
  try {
    const missing = await missingTopics(kafka, selection.topics);
    return { missing: await exceptHidden(kafka, missing) };
  } catch (error) {
    if (error instanceof UserError) throw error;
    await reasonsKnown(kafka);
    const { fatal, words } = explain(kafka, error);
    if (fatal) throw new UserError(`Kafka cannot be used: ${words}.`, { cause: error });
    return { reason: words };
  }
}
