import { isDeepStrictEqual } from 'node:util';
import type { Content, Look, StoredEvent, Subject, TableRow } from './databases';
import { aggregateOf, expectedEvents } from './expected';
import { appended, perform } from './perform';
import { printStep } from './print';
import { replayProblems } from './replay';
import { populatingSteps } from './sequences';
import { failed, type Outcome, type Step } from './steps';
import { countStep, type Tally } from './tally';
import { givenIds } from './values';
import { hasNestedWrites } from './nested';

/*
 * One sequence on all databases at once; after each step three questions. Did the callers see the same? Do the engines'
 * events say what the tables say? Do the engines say the same, and are all tables equal?
 */

export class Divergence extends Error {
  override readonly name = 'Divergence';
}

/** `across` is off for writes that leave a choice to Postgres: then each engine is held to its own tables alone. */
export async function runSequence(
  subjects: readonly Subject[],
  steps: readonly Step[],
  tally: Tally,
  across = true,
): Promise<void> {
  const populating = populatingSteps(steps);
  const begun = await begin(subjects, populating);
  let before: readonly Content[] = begun.content;
  const names = subjects.map(() => new MadeIds());
  for (const [nr, step] of steps.entries()) {
    if (nr < begun.steps) continue;
    const outcomes = await Promise.all(subjects.map(async ({ client }) => perform(client, step)));
    const after = await Promise.all(subjects.map((subject) => subject.look()));
    const problems = subjects.flatMap(({ engine }, each) => {
      const [was, is, seen] = [before[each], after[each], outcomes[each]];
      if (!was || !is || !seen || engine === 'plain') return [];
      return stepProblems(step, seen, was, is).map((problem) => `${engine}: ${problem}`);
    });
    if (across) problems.push(...differences(subjects, outcomes, after, names));
    if (problems.length > 0)
      throw new Divergence(`Step ${nr + 1}:\n${printStep(step)}\n\n${problems.join('\n')}`);
    countStep(tally, step, outcomes[0] ?? [], after.at(-1)?.events ?? []);
    before = after;
    if (nr + 1 === populating) await Promise.all(subjects.map((subject) => subject.keep(nameOf(populating))));
  }
}

const nameOf = (populating: number): string => `after_${populating}`;

/**
 * Every sequence begins in one of few ways. Each is performed, and compared, once on freshly opened databases; from then
 * on what it left is put back, which takes a small part of the time.
 */
async function begin(
  subjects: readonly Subject[],
  populating: number,
): Promise<{ readonly steps: number; readonly content: readonly Content[] }> {
  const name = nameOf(populating);
  if (subjects.every(({ kept }) => kept.has(name))) {
    await Promise.all(subjects.map((subject) => subject.clear(name)));
    return { steps: populating, content: await Promise.all(subjects.map((subject) => subject.look())) };
  }
  await Promise.all(subjects.map((subject) => subject.clear()));
  // Not looked at: an event that emptying them had stored is to be found by the first step's look.
  return { steps: 0, content: subjects.map(() => ({ patients: [], appointments: [] })) };
}

function byAggregate(events: readonly StoredEvent[]): Map<string, StoredEvent[]> {
  const found = new Map<string, StoredEvent[]>();
  for (const event of events) {
    const aggregate = aggregateOf(event.aggregate_type, event.aggregate_id);
    found.set(aggregate, [...(found.get(aggregate) ?? []), event]);
  }
  return found;
}

/** One engine against its own tables. */
function stepProblems(step: Step, outcomes: readonly Outcome[], was: Content, is: Look): string[] {
  const { events } = is;
  const stored = byAggregate(events);
  const problems = [...contextProblems(step, events), ...letterProblems(outcomes, stored)];
  if (failed(outcomes.at(-1)) && !hasNested(step)) {
    if (events.length > 0) problems.push(`events of a step that failed: ${shown(events)}`);
    if (!isDeepStrictEqual([was.patients, was.appointments], [is.patients, is.appointments]))
      problems.push('a step that failed left changes');
    return problems;
  }
  if (step.kind !== 'alone' || hasNestedWrites(step.write))
    return [...problems, ...replayProblems(was, is, stored)];
  const expected = expectedEvents(was, is);
  for (const aggregate of new Set([...expected.keys(), ...stored.keys()])) {
    const wanted = (expected.get(aggregate) ?? []).map(({ type, data }) => ({ type, data }));
    const found = (stored.get(aggregate) ?? []).map(({ event_type: type, data }) => ({
      type,
      data: JSON.parse(data) as unknown,
    }));
    if (!isDeepStrictEqual(found, wanted))
      problems.push(`events of ${aggregate}\n  are       ${shown(found)}\n  should be ${shown(wanted)}`);
  }
  return problems;
}

/**
 * Only a step without savepoints is sure to have left nothing when it failed: after a statement that fails in a nested
 * transaction, Prisma's $transaction may reject although it has committed. With capture as without.
 */
const hasNested = (step: Step): boolean =>
  step.kind === 'interactive' && step.items.some(({ kind }) => kind === 'nested');

function contextProblems({ context }: Step, events: readonly StoredEvent[]): string[] {
  const wanted = {
    event_version: '1.0',
    lane_fits: true,
    source: 'clinic',
    correlation_id: context.correlationId ?? null,
    causation_id: context.causationId ?? null,
    actor: context.actor ?? null,
    traceparent: context.traceparent ?? null,
  };
  return events.flatMap((event) =>
    Object.entries(wanted)
      .filter(([column, value]) => event[column as keyof StoredEvent] !== value)
      .map(
        ([column, value]) =>
          `${event.event_type} has the ${column} ${shown(event[column as keyof StoredEvent])} and not ${shown(value)}`,
      ),
  );
}

/** Explicit events: none that was not asked for, and all of them when nothing has failed. */
function letterProblems(
  outcomes: readonly Outcome[],
  stored: ReadonlyMap<string, readonly StoredEvent[]>,
): string[] {
  const asked = outcomes.filter((outcome) => outcome.call.startsWith(appended('')));
  const aggregates = new Set(asked.map(({ call }) => call.slice(appended('').length)));
  const unasked = [...stored.keys()].filter(
    (aggregate) => aggregate.startsWith('email ') && !aggregates.has(aggregate.slice('email '.length)),
  );
  const miscounted = [...aggregates].filter((id) => {
    const done = asked.filter((outcome) => outcome.call === appended(id) && !failed(outcome)).length;
    const found = stored.get(aggregateOf('email', id))?.length ?? 0;
    return found > done || (found < done && !outcomes.some(failed));
  });
  return [
    ...unasked.map((aggregate) => `${aggregate} was not asked for`),
    ...miscounted.map((id) => `email ${id} has another number of events than were asked for`),
  ];
}

function differences(
  subjects: readonly Subject[],
  outcomes: readonly Outcome[][],
  looks: readonly Look[],
  names: readonly MadeIds[],
): string[] {
  const labels = subjects.map(({ engine }) => engine);
  const stories = looks.map((look, nr) => story(look, names[nr] ?? new MadeIds()));
  const withCapture = labels.flatMap((label, nr) => (label === 'plain' ? [] : [nr]));
  return [
    ...unequal('callers saw', outcomes, labels),
    ...unequal('the tables are', looks.map(tables), labels),
    ...unequal(
      'the events are',
      withCapture.map((nr) => stories[nr]),
      withCapture.map((nr) => labels[nr] ?? ''),
    ),
  ];
}

/** Names what is unequal, and shows only where. */
function unequal(what: string, values: readonly unknown[], labels: readonly string[]): string[] {
  if (values.every((value) => isDeepStrictEqual(value, values[0]))) return [];
  const lists = values.map((value) => (value as unknown[]).map(shown));
  const common = lists.reduce((kept, list) => kept.filter((line) => list.includes(line)));
  const parts = lists.map((list, nr) => {
    const own = list.filter((line) => !common.includes(line));
    return `  ${labels[nr] ?? ''}: ${own.length === 0 ? '(no more)' : own.join('\n    ')}`;
  });
  return [`${what} not the same:\n${parts.join('\n')}`];
}

/** The tables with ids that clients made replaced by what tells the row to a reader. */
function tables({ patients, appointments }: Content): unknown[] {
  const named = new Map(patients.map(({ id, email }) => [id, isGiven(id) ? id : `made for ${email}`]));
  const appointmentRows = appointments.map((row) => ({
    ...row,
    id: isGiven(row.id) ? row.id : 'made',
    patient_id: named.get(row['patient_id'] ?? '') ?? row['patient_id'],
  }));
  return [
    ...patients.map((row): TableRow => ({ ...row, id: named.get(row.id) ?? row.id })),
    ...appointmentRows,
  ]
    .map((row) => JSON.stringify(row))
    .sort();
}

const isGiven = (id: string): boolean => id.startsWith(givenIds);

/** By aggregate, its events as lines. */
function story(look: Look, names: MadeIds): [string, string[]][] {
  names.learn(look);
  const told = [...byAggregate(look.events)].map(([aggregate, events]): [string, string[]] => [
    names.in(aggregate),
    events.map((event) => names.in(JSON.stringify(Object.values(event)))),
  ]);
  return told.sort(([a], [b]) => (a < b ? -1 : 1));
}

const uuid = /[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/g;

/**
 * Ids that a client made differ between databases. But Prisma makes them in the order of creation and such that they
 * grow, so the first made id of one database stands for the first of the other.
 */
class MadeIds {
  readonly #names = new Map<string, string>();

  learn({ events, patients, appointments }: Look): void {
    const ids = [...events.map((event) => event.aggregate_id), ...patients.map((row) => row.id)];
    ids.push(...appointments.map((row) => row.id));
    const made = new Set(ids.filter((id) => id.length === 36 && !isGiven(id) && !this.#names.has(id)));
    for (const id of [...made].sort()) this.#names.set(id, `made ${this.#names.size + 1}`);
  }

  in(text: string): string {
    return text.replaceAll(uuid, (id) => this.#names.get(id) ?? id);
  }
}

const shown = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
