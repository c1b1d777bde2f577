/*
 * kafkajs 2.2.4 asks one broker after the other for the coordinator of a group, forgets what each has answered, and
 * reports that there is no coordinator, also when all of them have said that this account may not use the group. The
 * last answer is added to the error as its cause.
 */

interface Asked {
  readonly groupId: string;
}

interface Broker {
  findGroupCoordinator: (asked: Asked) => Promise<unknown>;
}

interface Cluster {
  findGroupCoordinatorMetadata: (asked: Asked) => Promise<unknown>;
}

// Inner files of kafkajs without types; test/integration/consumers/topicTroubles.test.ts notices if they change.
/* eslint-disable typescript/no-require-imports */
const { prototype: broker } = require('kafkajs/src/broker') as { prototype: Broker };
const { prototype: cluster } = require('kafkajs/src/cluster') as { prototype: Cluster };
/* eslint-enable typescript/no-require-imports */

let done = false;

/** Makes this process's kafkajs say why a group has no coordinator. May be called repeatedly. */
export function keepCoordinatorErrors(): void {
  if (done) return;
  done = true;
  const { findGroupCoordinator } = broker;
  const { findGroupCoordinatorMetadata } = cluster;
  const lastAnswers = new Map<string, unknown>();
  broker.findGroupCoordinator = async function ask(this: Broker, asked) {
    try {
      return await findGroupCoordinator.call(this, asked);
    } catch (error) {
      lastAnswers.set(asked.groupId, error);
      throw error;
    }
  };
  cluster.findGroupCoordinatorMetadata = async function askAll(this: Cluster, asked) {
    try {
      return await findGroupCoordinatorMetadata.call(this, asked);
    } catch (error) {
      throw Object.assign(error as Error, { cause: lastAnswers.get(asked.groupId) });
    } finally {
      lastAnswers.delete(asked.groupId);
    }
  };
}
