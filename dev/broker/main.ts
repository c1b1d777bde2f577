import { Command, InvalidArgumentError } from 'commander';
import { runUntilSignal, type Service } from '../../src/shared/lifecycle';
import type { Logger } from '../../src/shared/logger';
import { runProgram } from '../../src/shared/program';
import { type DevBroker, type DevBrokerOptions, startDevBroker } from './broker';

interface Arguments {
  readonly host: string;
  readonly port: number;
  readonly advertisedPort?: number;
  readonly dataDir: string;
}

const command = new Command('broker')
  .description('A Kafka-protocol broker for development: one node, no access control, refused in production.')
  .option('--host <host>', 'where to listen, and what clients are told to connect to', '127.0.0.1')
  .option('--port <port>', 'where to listen; 0 picks a free port', portOf, 29_092)
  .option('--advertised-port <port>', 'what clients are told to connect to instead, for a proxy', portOf)
  .option('--data-dir <directory>', 'where topics and offsets are kept', '.data/broker')
  .parse();

void runProgram('broker', process.env, (logger) =>
  runUntilSignal({ logger, services: [brokerService({ ...command.opts<Arguments>(), logger })] }),
);

function brokerService(options: DevBrokerOptions & { logger: Logger }): Service {
  let starting: Promise<DevBroker> | undefined;
  return {
    name: 'broker',
    start: async () => {
      starting = startDevBroker(options);
      const { host, port } = await starting;
      options.logger.info({ host, port, dataDir: options.dataDir }, 'the dev broker is listening');
    },
    stop: async () => {
      // A start that failed has been reported by whoever awaited it.
      const broker = await starting?.catch(() => undefined);
      await broker?.stop();
    },
  };
}

function portOf(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError('It must be a number from 0 to 65535.');
}
