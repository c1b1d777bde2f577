/** Appointments and patients as their events tell of them, and the handlers called with events in any order. */
import { randomUUID } from 'node:crypto';
import { appointmentReminders } from '../../../../src/healthcore/consumers/appointmentReminders';
import { handlerOf } from '../../../../src/consumers/handlers';
import type { AnyEvent, EventData } from '../../../../src/healthcore/catalogue';
import type { Prisma } from '../../../../src/generated/prisma/client';
import type { Logger } from '../../../../src/shared/logger';
import { eventOf } from '../../../support/events';
import { silentLogger } from '../../../support/logger';

const hourMs = 3_600_000;

/** An instant so many hours from now, as events write it. */
export const inHours = (hours: number): string => new Date(Date.now() + hours * hourMs).toISOString();

/** Makes the events of one appointment; each call has the next sequence. */
export class AppointmentHistory {
  readonly id = randomUUID();
  #sequence: bigint;

  /** Sequences are compared as numbers: the default crosses a power of ten, and lies beyond 2^53. */
  constructor(
    readonly patientId: string = randomUUID(),
    firstSequence = 9_999_999_999_999_998n,
  ) {
    this.#sequence = firstSequence;
  }

  booked(startsAt: string): AnyEvent {
    return eventOf('appointment.booked', this.#times(startsAt, 'BOOKED'), this.#next());
  }

  rescheduled(startsAt: string, status: 'BOOKED' | 'CANCELLED' = 'BOOKED'): AnyEvent {
    const previous = { previous_starts_at: startsAt, previous_ends_at: startsAt };
    return eventOf(
      'appointment.rescheduled',
      { ...this.#times(startsAt, status), ...previous },
      this.#next(),
    );
  }

  cancelled(): AnyEvent {
    return eventOf('appointment.cancelled', this.#became('CANCELLED'), this.#next());
  }

  completed(): AnyEvent {
    return eventOf('appointment.completed', this.#became('COMPLETED'), this.#next());
  }

  deleted(): AnyEvent {
    const { previous_status: _, ...data } = this.#became('CANCELLED');
    return eventOf('appointment.deleted', data, this.#next());
  }

  #next(): { aggregate_id: string; sequence: string; correlation_id: string } {
    this.#sequence += 1n;
    const sequence = String(this.#sequence);
    return { aggregate_id: this.id, sequence, correlation_id: `request-${sequence}` };
  }

  #times(startsAt: string, status: 'BOOKED' | 'CANCELLED'): EventData<'appointment.booked'> {
    const ids = { appointment_id: this.id, patient_id: this.patientId };
    return { ...ids, practitioner: 'Dr Who', starts_at: startsAt, ends_at: startsAt, status };
  }

  #became(status: 'CANCELLED' | 'COMPLETED'): EventData<'appointment.cancelled'> {
    return { appointment_id: this.id, patient_id: this.patientId, status, previous_status: 'BOOKED' };
  }
}

/** Makes the events of one patient. */
export class PatientHistory {
  readonly id = randomUUID();
  #sequence = 8;

  created(email: string): AnyEvent {
    return eventOf('patient.created', this.#data(email), this.#next());
  }

  updated(email: string): AnyEvent {
    return eventOf('patient.updated', { ...this.#data(email), changed_fields: ['email'] }, this.#next());
  }

  deleted(): AnyEvent {
    return eventOf('patient.deleted', { patient_id: this.id }, this.#next());
  }

  #data(email: string): EventData<'patient.created'> {
    return { patient_id: this.id, name: 'Ada', email, phone: null };
  }

  #next(): { aggregate_id: string; sequence: string } {
    this.#sequence += 1;
    return { aggregate_id: this.id, sequence: String(this.#sequence) };
  }
}

/** Calls the consumer's handler with each event, in the order given. */
export async function handleAll(
  tx: Prisma.TransactionClient,
  events: readonly AnyEvent[],
  logger: Logger = silentLogger(),
): Promise<void> {
  for (const event of events) {
    const handler = handlerOf(appointmentReminders, event);
    if (!handler) throw new Error(`${event.event_type} has no handler`);
    const message = { topic: 't', partition: 0, offset: '0', timestampMs: 0 };
    await handler(event, { tx, logger, attempt: 1, message });
  }
}

/** Every order of some things. */
export function permutations<T>(items: readonly T[]): T[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((item, index) =>
    permutations([...items.slice(0, index), ...items.slice(index + 1)]).map((rest) => [item, ...rest]),
  );
}
