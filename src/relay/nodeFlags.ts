/**
 * What Node is started with for the relay, wherever it is started. While a backlog drains nearly everything that it
 * allocates is garbage within a look: with a young generation of 16 MB, Node's own choice, it grows to 270 MB over a
 * backlog of five million, with 4 MB to 210 MB, for up to a quarter more time on a core. See docs/benchmarks.md.
 */
export const relayNodeFlags: readonly string[] = ['--max-semi-space-size=8'];
