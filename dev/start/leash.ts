/**
 * Loaded (`node --require`) into every program that `npm start` runs, so that none outlives it: the channel to the
 * supervisor closes when the supervisor is gone, however it went, and the program then stops as on SIGTERM. It stays
 * out of src/: only a developer's machine needs it.
 */
const patienceMs = 15_000;

process.on('disconnect', () => {
  setTimeout(() => process.exit(1), patienceMs).unref();
  process.kill(process.pid, 'SIGTERM');
});
// The channel alone is no reason to live on.
process.channel?.unref();
