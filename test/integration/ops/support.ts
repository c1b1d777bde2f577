/** The ops command as operators run it. */
import { Writable } from 'node:stream';
import { type Command, CommanderError } from 'commander';
import { toolsOf } from './tools';
import { opsProgram } from '../../../src/ops/program';
import { commandLogger, exitCodeOf } from '../../../src/shared/commandLine';
import { deadLetterTopic, topicOf } from '../../../src/kafka/topics/topicNames';
import type { EventEnvelope } from '../../../src/healthcore/catalogue';
import { type DeadLetter, DeadLetterPublisher } from '../../../src/kafka/deadLetters/deadLetter';
import { messageOf } from '../../support/events';
import { kafkaBrokers, testKafka, uniqueName } from '../../support/kafka';

// A real cluster keeps each reader waiting for some seconds before it is let into its group.
jest.setTimeout(300_000);

export interface Result {
  readonly code: number | null;
  readonly output: string;
  /** What `--json` printed; fails when the last line is no JSON. */
  readonly json: () => unknown;
}

/**
 * Runs the ops command to its end, in this process: what a process of its own adds (signals, pipes) has tests of its
 * own, and costs half a second each time.
 */
export async function ops(env: Readonly<Record<string, string>>, ...args: string[]): Promise<Result> {
  let code: number | null = 0;
  let output = '';
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      output += String(chunk);
      done();
    },
  });
  const logger = commandLogger('ops', stream);
  const program = opsProgram(async (action) => {
    code = await exitCodeOf(() => action(toolsOf(env, { stdout: stream, logger })), {
      logger,
      stderr: stream,
    });
  });
  for (const command of withSubcommands(program)) {
    command
      .exitOverride()
      .configureOutput({ writeOut: (text) => (output += text), writeErr: (text) => (output += text) });
  }
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    code = error.exitCode;
  }
  return { code, output, json: () => JSON.parse(output.trim().split('\n').at(-1) ?? '') as unknown };
}

const withSubcommands = (command: Command): Command[] => [
  command,
  ...command.commands.flatMap(withSubcommands),
];

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
