import type { StoredEvent } from './databases';
import { nestedActions } from './nested';
import { printWrite } from './print';
import { failed, type Item, type Outcome, type Step, type Write } from './steps';

/* What sequences did, for the totals that a run prints: nobody is to believe that something was tried that was not. */

interface Count {
  calls: number;
  failed: number;
}

export interface Tally {
  sequences: number;
  steps: number;
  events: number;
  calls: number;
  failedCalls: number;
  /** By what was called, `patient.update` or `tx.$transaction`; of a nested write also `patient.update › appointments.delete`. */
  readonly operations: Record<string, Count>;
}

export const newTally = (): Tally => ({
  sequences: 0,
  steps: 0,
  events: 0,
  calls: 0,
  failedCalls: 0,
  operations: {},
});

/** What one step did on one client, and the events that an engine has stored for it. */
export function countStep(
  tally: Tally,
  step: Step,
  outcomes: readonly Outcome[],
  events: readonly StoredEvent[],
): void {
  tally.steps++;
  tally.events += events.length;
  tally.calls += outcomes.length;
  tally.failedCalls += outcomes.filter(failed).length;
  const writes = new Map(writesOf(step).map((write) => [printWrite(write), write]));
  for (const outcome of outcomes) {
    const write = writes.get(outcome.call);
    for (const name of write ? namesOf(write) : [called(outcome.call)]) count(tally, name, failed(outcome));
  }
  // A batch is one call with one outcome: its writes fail or succeed as one.
  if (step.kind !== 'batch') return;
  for (const name of step.writes.flatMap(namesOf)) count(tally, name, failed(outcomes.at(-1)));
}

export function addTally(to: Tally, from: Tally): void {
  for (const total of ['sequences', 'steps', 'events', 'calls', 'failedCalls'] as const)
    to[total] += from[total];
  for (const [name, { calls, failed }] of Object.entries(from.operations)) {
    const sum = (to.operations[name] ??= { calls: 0, failed: 0 });
    sum.calls += calls;
    sum.failed += failed;
  }
}

function count({ operations }: Tally, name: string, hasFailed: boolean): void {
  const sum = (operations[name] ??= { calls: 0, failed: 0 });
  sum.calls++;
  if (hasFailed) sum.failed++;
}

const called = (call: string): string => /^[^( ]+/.exec(call)?.[0] ?? call;

function namesOf(write: Write): string[] {
  const name = `${write.model}.${write.action}`;
  return [name, ...nestedActions(write).map((nested) => `${name} › ${nested}`)];
}

function writesOf(step: Step): readonly Write[] {
  if (step.kind === 'alone') return [step.write];
  return step.kind === 'batch' ? [] : step.items.flatMap(writesOfItem);
}

function writesOfItem(item: Item): readonly Write[] {
  if (item.kind === 'write') return [item.write];
  if (item.kind === 'together') return item.writes;
  return item.kind === 'nested' ? item.items.flatMap(writesOfItem) : [];
}
