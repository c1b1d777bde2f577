/** The ops command as operators run it. */
import { deadLetterTopic, topicOf } from '../../../src/kafka/topicNames';
import type { EventEnvelope } from '../../../src/events/envelope';
import { type DeadLetter, DeadLetterPublisher } from '../../../src/kafka/deadLetter';
import { messageOf } from '../../support/events';
import { kafkaBrokers, testKafka, uniqueName } from '../../support/kafka';
import { spawnProgram } from '../../support/process';
import { within } from '../../support/waitFor';

// A real cluster keeps each reader waiting for some seconds before it is let into its group.
jest.setTimeout(300_000);

export interface Result {
  readonly code: number | null;
  readonly output: string;
  /** What `--json` printed; fails when the last line is no JSON. */
  readonly json: () => unknown;
}

/** Runs the ops command to its end. */
export async function ops(env: Readonly<Record<string, string>>, ...args: string[]): Promise<Result> {
  const program = await spawnProgram('src/ops/main', { args, env });
  const { code } = await within(program.exited, {
    what: () => `"ops ${args.join(' ')}" to end; it printed ${program.output()}`,
    deadlineMs: 120_000,
  });
  return {
    code,
    output: program.output(),
    json: () => JSON.parse(program.output().trim().split('\n').at(-1) ?? '') as unknown,
  };
}

/** A topic prefix, and a prefix of groups, that no other test uses. */
export function newPrefix(): string {
  return uniqueName('ops').replaceAll('.', '-');
}

/** What the ops command needs to find the tests' brokers and names. */
export function kafkaEnv(prefix: string): Record<string, string> {
  return {
    KAFKA_BOOTSTRAP_SERVERS: kafkaBrokers().join(','),
    KAFKA_TOPIC_PREFIX: prefix,
    CONSUMER_GROUP_PREFIX: prefix,
  };
}

/** Writes dead letters of events, as the consumers of a group would. */
export async function giveUp(
  prefix: string,
  group: string,
  events: readonly EventEnvelope<'patient.created'>[],
  fields: Partial<DeadLetter> = {},
): Promise<void> {
  const publisher = new DeadLetterPublisher(testKafka(), deadLetterTopic(prefix));
  for (const [index, event] of events.entries()) {
    await publisher.publish({
      message: {
        ...messageOf(event, prefix, String(index)),
        headers: { event_id: Buffer.from(event.event_id), event_type: Buffer.from(event.event_type) },
      },
      group,
      attempts: 6,
      errorClass: 'TransientError',
      reason: 'the ward does not answer',
      failedAt: new Date(),
      ...fields,
    });
  }
  await publisher.stop();
}

export const createdTopic = (prefix: string): string => topicOf(prefix, 'patient.created');
