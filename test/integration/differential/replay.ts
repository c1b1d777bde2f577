import type { Content, StoredEvent, TableRow } from './databases';
import { aggregateOf } from './expected';

/*
 * Events of a transaction that may have written a row more than once. Its states in between are not to be seen, so the
 * events are replayed on the row as it was: each must be possible where it stands, what it says of the time before must
 * be what the replay holds, and the end must be the row as it is.
 *
 * Of an appointment's fields the times change in no silence, the status only back to BOOKED.
 */

type Data = Readonly<Record<string, unknown>>;
/** What is known of an aggregate, by the names of its columns; undefined when it does not exist. */
type State = Data | undefined;

/** Sentences on what does not fit; none when all is well. */
export function replayProblems(
  before: Content,
  after: Content,
  events: ReadonlyMap<string, readonly StoredEvent[]>,
): string[] {
  const was = rowsByAggregate(before);
  const is = rowsByAggregate(after);
  const aggregates = new Set([...was.keys(), ...is.keys(), ...events.keys()]);
  return [...aggregates]
    .filter((aggregate) => !aggregate.startsWith('email '))
    .flatMap((aggregate) => {
      const replay = new Replay(was.get(aggregate));
      for (const event of events.get(aggregate) ?? []) replay.take(event);
      replay.end(is.get(aggregate));
      return replay.problems.map((problem) => `${aggregate}: ${problem}`);
    });
}

function rowsByAggregate({ patients, appointments }: Content): Map<string, TableRow> {
  return new Map([
    ...patients.map((row): [string, TableRow] => [aggregateOf('patient', row.id), row]),
    ...appointments.map((row): [string, TableRow] => [aggregateOf('appointment', row.id), withInstants(row)]),
  ]);
}

const iso = (value: string | null | undefined): string => new Date(value ?? Number.NaN).toISOString();

function withInstants(row: TableRow): TableRow {
  return { ...row, starts_at: iso(row['starts_at']), ends_at: iso(row['ends_at']) };
}

const carried = ['name', 'email', 'phone'];
const hidden = ['date_of_birth', 'clinical_notes', 'reason'];
const times = ['starts_at', 'ends_at'];

class Replay {
  readonly problems: string[] = [];
  #state: State;
  /** Restricted fields of which some event said that they changed. */
  readonly #mentioned = new Set<string>();
  /** Whether the row is still the one of the beginning, which no other has replaced under its key. */
  #same = true;

  constructor(private readonly first: State) {
    this.#state = first;
  }

  take({ event_type: type, data: json }: StoredEvent): void {
    const data = JSON.parse(json) as Data;
    const creates = type === 'patient.created' || type === 'appointment.booked';
    if (creates === (this.#state !== undefined))
      this.#wrong(`${type} of what ${creates ? 'exists' : 'does not exist'}`);
    else if (creates) this.#create(data);
    else if (type.endsWith('.deleted')) this.#delete(data);
    else if (type === 'patient.updated') this.#update(data);
    else if (type === 'appointment.rescheduled') this.#reschedule(data);
    else if (type === 'appointment.updated') this.#changeReason(data);
    else this.#changeStatus(type, data);
  }

  end(row: State): void {
    if (!row || !this.#state) {
      if (row) this.#wrong('a row is there whose events say that it is not');
      if (this.#state) this.#wrong('the row is gone, which no event says');
      return;
    }
    const silent = (field: string): boolean => field === 'status' && row[field] === 'BOOKED';
    for (const field of [...carried, ...times, 'status']) {
      if (field in row && !silent(field))
        this.#compare(`${field} at the end`, this.#state[field], row[field]);
    }
    if (!this.#same || !this.first) return;
    for (const field of hidden) {
      if (this.first[field] !== row[field] && !this.#mentioned.has(field))
        this.#wrong(`${field} changed, which no event says`);
    }
  }

  #create(data: Data): void {
    this.#state = data;
    this.#same = this.#same && this.first === undefined;
  }

  #delete(data: Data): void {
    this.#compareStatus(data['status']);
    this.#state = undefined;
    this.#same = false;
  }

  #update(data: Data): void {
    const named = new Set(data['changed_fields'] as string[]);
    if (named.size === 0) this.#wrong('patient.updated says that nothing changed');
    for (const field of carried) {
      if (named.has(field) === (this.#state?.[field] === data[field]))
        this.#wrong(`patient.updated is wrong about whether ${field} changed`);
    }
    for (const field of hidden) if (named.has(field)) this.#mentioned.add(field);
    this.#state = { ...this.#state, ...data };
  }

  #reschedule(data: Data): void {
    for (const field of times) this.#compare(field, data[`previous_${field}`], this.#state?.[field]);
    if (times.every((field) => data[`previous_${field}`] === data[field]))
      this.#wrong('appointment.rescheduled says that nothing changed');
    const { starts_at, ends_at } = data;
    const status = data['status'] === 'BOOKED' ? 'BOOKED' : this.#state?.['status'];
    this.#state = { ...this.#state, starts_at, ends_at, status };
  }

  #changeReason(data: Data): void {
    if (!(data['changed_fields'] as string[]).includes('reason'))
      this.#wrong('appointment.updated does not say that the reason changed');
    this.#mentioned.add('reason');
    this.#compareStatus(data['status']);
    this.#state = { ...this.#state, status: data['status'] };
  }

  #changeStatus(type: string, data: Data): void {
    const { status } = data;
    const wanted = type === 'appointment.cancelled' ? 'CANCELLED' : 'COMPLETED';
    this.#compare('status', status, wanted);
    if (data['previous_status'] === status) this.#wrong(`${type} of what had that status before`);
    this.#compareStatus(data['previous_status']);
    this.#state = { ...this.#state, status };
  }

  #compareStatus(said: unknown): void {
    if (said !== 'BOOKED') this.#compare('status', said, this.#state?.['status']);
  }

  #compare(what: string, said: unknown, known: unknown): void {
    if (said !== known) this.#wrong(`${what} is ${JSON.stringify(said)} and not ${JSON.stringify(known)}`);
  }

  #wrong(problem: string): void {
    this.problems.push(problem);
  }
}
