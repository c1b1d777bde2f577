/*
 * Two faults of kafkajs 2.2.4 about brokers that cannot be used.
 *
 * It asks one broker after the other for a group's coordinator, and forgets why each has failed: an account that may not
 * use the group is told "Failed to find group coordinator", for ever. And one broker to which there is no connection
 * ends the search, although others would answer.
 *
 * A broker that takes a connection and then says nothing, a frozen one, counts as connected after its first request has
 * timed out: what is asked of it next fails with an error of the kind that a defect has, and no other broker of the
 * list is tried. Here its connection is closed, and the error is that of a connection.
 */
import { KafkaJSConnectionError } from 'kafkajs';
import { fatalType } from '../errorTypes';

interface BrokerPool {
  readonly brokers: Readonly<Record<string, unknown>>;
  findBroker(options: { nodeId: string }): Promise<unknown>;
  withBroker: <T>(use: (found: { nodeId: string; broker: unknown }) => Promise<T>) => Promise<T | null>;
}

interface Broker {
  connect: () => Promise<void>;
  readonly brokerAddress: string;
  disconnect(): Promise<void>;
}

// Inner files of kafkajs without types; test/unit/kafka/brokerPool.test.ts notices if they change.
/* eslint-disable typescript/no-require-imports */
const { prototype } = require('kafkajs/src/cluster/brokerPool') as { prototype: BrokerPool };
const { prototype: brokerPrototype } = require('kafkajs/src/broker') as { prototype: Broker };
/* eslint-enable typescript/no-require-imports */
const original = prototype.withBroker;
const { connect } = brokerPrototype;
let done = false;

/** Makes this process's kafkajs say why no broker could be asked. May be called repeatedly. */
export function askEveryBroker(): void {
  if (done) return;
  done = true;
  brokerPrototype.connect = async function connectOrClose(this: Broker): Promise<void> {
    try {
      await connect.call(this);
    } catch (error) {
      // The failure to connect is what the caller hears of.
      await this.disconnect().catch(() => undefined);
      throw isTimeout(error) ? connectionError(error, this.brokerAddress) : error;
    }
  };
  prototype.withBroker = async function withBroker<T>(
    this: BrokerPool,
    use: (found: { nodeId: string; broker: unknown }) => Promise<T>,
  ) {
    const nodeIds = Object.keys(this.brokers);
    // It says that there are none.
    if (nodeIds.length === 0) return original.call(this, use) as Promise<T | null>;
    const first = Math.floor(Math.random() * nodeIds.length);
    for (const nodeId of [...nodeIds.slice(first), ...nodeIds.slice(0, first)]) {
      try {
        return await use({ nodeId, broker: await this.findBroker({ nodeId }) });
      } catch (error) {
        if (fatalType(error)) throw error;
      }
    }
    return null;
  };
}

function isTimeout(error: unknown): error is Error {
  return error instanceof Error && error.name === 'KafkaJSRequestTimeoutError';
}

function connectionError(cause: Error, broker: string): KafkaJSConnectionError {
  return Object.assign(new KafkaJSConnectionError(cause.message, { broker }), { cause });
}
