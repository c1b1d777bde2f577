import type { Content, TableRow } from './databases';

/*
 * What a change of the tables must mean, told from the tables alone and in words of its own: neither engine, nor the
 * catalogue that both are derived from, has a part in it. A change of the catalogue is a change here.
 */

export interface ExpectedEvent {
  readonly type: string;
  readonly aggregate: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export const aggregateOf = (type: string, id: string): string => `${type} ${id}`;

const instant = (value: string | null | undefined): string => new Date(value ?? Number.NaN).toISOString();

const patientData = (row: TableRow) => ({
  patient_id: row.id,
  name: row['name'],
  email: row['email'],
  phone: row['phone'],
});

const appointmentData = (row: TableRow) => ({
  appointment_id: row.id,
  patient_id: row['patient_id'],
  practitioner: row['practitioner'],
  starts_at: instant(row['starts_at']),
  ends_at: instant(row['ends_at']),
  status: row['status'],
});

const statusData = (row: TableRow) => ({
  appointment_id: row.id,
  patient_id: row['patient_id'],
  status: row['status'],
});

type Change = (before: TableRow | undefined, after: TableRow | undefined) => [type: string, data: object][];

const patientFields = ['name', 'email', 'phone', 'date_of_birth', 'clinical_notes'];

const patientChange: Change = (before, after) => {
  if (!before && after) return [['patient.created', patientData(after)]];
  if (before && !after) return [['patient.deleted', { patient_id: before.id }]];
  if (!before || !after) return [];
  const changed = patientFields.filter((field) => before[field] !== after[field]);
  if (changed.length === 0) return [];
  return [['patient.updated', { ...patientData(after), changed_fields: changed }]];
};

const appointmentChange: Change = (before, after) => {
  if (!before && after) return [['appointment.booked', appointmentData(after)]];
  if (before && !after) return [['appointment.deleted', statusData(before)]];
  if (!before || !after) return [];
  const events: [string, object][] = [];
  const [was, is] = [appointmentData(before), appointmentData(after)];
  if (was.starts_at !== is.starts_at || was.ends_at !== is.ends_at) {
    const previous = { previous_starts_at: was.starts_at, previous_ends_at: was.ends_at };
    events.push(['appointment.rescheduled', { ...is, ...previous }]);
  }
  for (const [status, type] of [
    ['CANCELLED', 'appointment.cancelled'],
    ['COMPLETED', 'appointment.completed'],
  ] as const) {
    if (is.status === status && was.status !== status)
      events.push([type, { ...statusData(after), previous_status: was.status }]);
  }
  if (before['reason'] !== after['reason']) {
    events.push(['appointment.updated', { ...statusData(after), changed_fields: ['reason'] }]);
  }
  return events;
};

/** By aggregate, the events of rows that were written once at most between the two looks. */
export function expectedEvents(before: Content, after: Content): Map<string, ExpectedEvent[]> {
  return new Map([
    ...changes('patient', patientChange, before.patients, after.patients),
    ...changes('appointment', appointmentChange, before.appointments, after.appointments),
  ]);
}

function changes(
  type: string,
  change: Change,
  before: readonly TableRow[],
  after: readonly TableRow[],
): [string, ExpectedEvent[]][] {
  const was = new Map(before.map((row) => [row.id, row]));
  const is = new Map(after.map((row) => [row.id, row]));
  return [...new Set([...was.keys(), ...is.keys()])].flatMap((id): [string, ExpectedEvent[]][] => {
    const aggregate = aggregateOf(type, id);
    const events = change(was.get(id), is.get(id)).map(([eventType, data]) => ({
      type: eventType,
      aggregate,
      data: { ...data },
    }));
    return events.length === 0 ? [] : [[aggregate, events]];
  });
}
