import type { TestServers } from './servers';

const serversKey = Symbol.for('signalbox.testServers');

export default async function globalTeardown(): Promise<void> {
  const holder = globalThis as { [key: symbol]: TestServers | undefined };
  const servers = holder[serversKey];
  delete holder[serversKey];
  await servers?.stop();
}
