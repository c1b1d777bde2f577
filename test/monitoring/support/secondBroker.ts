import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { type RealKafka, startNode } from '../../../dev/kafka/kafkaNode';
import { readControllerPort, renderServerProperties, standalone } from '../../../dev/kafka/serverProperties';
import { waitForBroker } from '../../../dev/kafka/waitForBroker';
import { registerProcess } from '../../../dev/kafka/watchman';
import { findFreePort } from '../../../dev/postgres/ports';
import { fromSetup, variables } from '../../support/environment';
import { silentLogger } from '../../support/logger';

/** A second broker of the cluster whose only controller lies in `firstDirectory`: for replicas that can be lost. */
export async function startSecondBroker(firstDirectory: string): Promise<RealKafka> {
  const controllerPort = readControllerPort(
    await readFile(path.join(firstDirectory, 'server.properties'), 'utf8'),
  );
  if (controllerPort === undefined) throw new Error(`${firstDirectory} names no controller`);
  const port = await findFreePort();
  const dataDir = `${firstDirectory}-2`;
  const settings = {
    ...standalone(controllerPort),
    'process.roles': 'broker',
    'node.id': '2',
    listeners: `CLIENT://127.0.0.1:${port}`,
  };
  return startNode({
    dataDir,
    port,
    heapMb: 256,
    formatFlags: [],
    properties: renderServerProperties({
      brokerPort: port,
      controllerPort,
      logDirectory: path.join(dataDir, 'log'),
      settings,
    }),
    isUp: (hasDied) => waitForBroker(`127.0.0.1:${port}`, hasDied),
    logger: silentLogger(),
    onProcess: (pid) => registerProcess(fromSetup(variables.directory), pid),
  });
}
