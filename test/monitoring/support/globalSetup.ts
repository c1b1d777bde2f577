import { startServers, type TestServers } from '../../support/servers';

const serversKey = Symbol.for('signalbox.testServers');

/** Postgres; the test brings a broker of its own. test/support/globalTeardown.ts ends it. */
export default async function globalSetup(): Promise<void> {
  const holder = globalThis as { [key: symbol]: TestServers | undefined };
  holder[serversKey] ??= await startServers({ broker: false });
}
