import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';

/**
 * Resolves when the broker answers, knows its controller and serves consumer groups: on a new broker the first group is
 * turned away ("the coordinator is loading") until a topic for offsets is made, which ends a kafkajs consumer. Throws when it takes too long, or `hasDied`. */
export async function waitForBroker(
  address: string,
  hasDied: () => boolean | Promise<boolean>,
  withinMs = 120_000,
): Promise<void> {
  const deadline = Date.now() + withinMs;
  const kafka = new Kafka({ brokers: address.split(','), logLevel: logLevel.NOTHING, retry: { retries: 0 } });
  for (;;) {
    const problem = await tryBroker(kafka);
    if (problem === undefined) return;
    if (await hasDied()) throw new Error(`The broker at ${address} has ended.`, { cause: problem });
    if (Date.now() > deadline) {
      throw new Error(`The broker at ${address} did not answer within ${withinMs / 1000} s.`, {
        cause: problem,
      });
    }
    await sleep(50);
  }
}

/** What went wrong, if anything. */
async function tryBroker(kafka: Kafka): Promise<Error | undefined> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    const { controller } = await admin.describeCluster();
    if (controller === null || controller < 0) return new Error('it has no controller yet');
    await admin.fetchOffsets({ groupId: 'signalbox-warm-up', topics: [] });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  } finally {
    await admin.disconnect();
  }
}
