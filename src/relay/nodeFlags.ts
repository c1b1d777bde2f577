/**
 * What Node is started with for the relay, wherever it is started. While a backlog drains nearly everything that it
 * allocates is garbage within a look; a young generation of 16 MB, Node's own choice, keeps 30 to 40 MB of it resident
 * and is no faster.
 */
export const relayNodeFlags: readonly string[] = ['--max-semi-space-size=4'];
