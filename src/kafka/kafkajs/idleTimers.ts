/*
 * kafkajs 2.2.4 looks for throttled requests with a timer that starts itself again: its delay is "the end of the
 * throttling minus now", which without throttling is the year 1970. Node 20 makes a negative delay 1 ms, so each idle
 * connection wakes the process some 900 times a second (2.5 % of a core); newer versions of Node print a warning too.
 * The timer is of use only while requests are waiting, and whatever makes one wait starts it.
 */

interface RequestQueue {
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests: () => void;
}

// An inner file of kafkajs without types; test/unit/relay/kafkaSide.test.ts notices if it changes.
// eslint-disable-next-line typescript/no-require-imports
const { prototype } = require('kafkajs/src/network/requestQueue') as { prototype: RequestQueue };
const schedule = prototype.scheduleCheckPendingRequests;
let calmed = false;

/** Keeps idle kafkajs connections of this process from starting timers. May be called repeatedly. */
export function calmIdleTimers(): void {
  if (calmed) return;
  calmed = true;
  prototype.scheduleCheckPendingRequests = function scheduleIfNeeded(this: RequestQueue): void {
    if (this.pending.length > 0) schedule.call(this);
  };
}
