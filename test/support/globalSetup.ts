import { startServers, type TestServers } from './servers';

/** Jest loads globalTeardown.ts apart from this file, so the two meet on the global object. */
const serversKey = Symbol.for('signalbox.testServers');

export default async function globalSetup(): Promise<void> {
  const holder = globalThis as { [key: symbol]: TestServers | undefined };
  holder[serversKey] ??= await startServers();
}
