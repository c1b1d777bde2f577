import type { Appointment, AppointmentStatus, Prisma } from '../../generated/prisma/client';
import type { Database } from '../database';
import { defined } from '../defined';
import { pageArguments } from '../http/pagination';
import { DomainError } from '../problems/domainError';
import { lockPractitioner } from './lockPractitioner';
import { practitionerKey } from './practitionerKey';
import type { AppointmentInput, AppointmentPatch, AppointmentQuery } from './schemas';
import { statusesBefore } from './transitions';

/*
 * Appointments. BOOKED is the only status from which anything can change (transitions.ts). Every change of status is
 * one conditional update, so that of two that race exactly one finds the row as it expects it; the other one looks
 * again and says why not. Double bookings are refused by the exclusion constraint "appointments_practitioner_free".
 * Patient and practitioner never change: whoever was told of the booking would have to be told twice.
 */
export class AppointmentService {
  /** @param limits of its transactions, in milliseconds; Prisma's own (two and five seconds) by default */
  constructor(
    private readonly database: Database,
    private readonly limits: { readonly maxWait?: number; readonly timeout?: number } = {},
  ) {}

  async book(input: AppointmentInput): Promise<Appointment> {
    const { patient_id, practitioner, starts_at, ends_at, reason } = input;
    const data = { patientId: patient_id, practitioner, startsAt: starts_at, endsAt: ends_at, reason };
    return this.database.$transaction(async (tx) => {
      await lockPractitioner(tx, practitioner);
      return tx.appointment.create({ data });
    }, this.limits);
  }

  /** Appointments in the order in which they were booked; at most one row more than the page holds. */
  async list({
    patient_id,
    practitioner,
    status,
    from,
    to,
    ...page
  }: AppointmentQuery): Promise<Appointment[]> {
    const startsAt = from || to ? defined({ gte: from, lt: to }) : undefined;
    const key = practitioner === undefined ? undefined : await practitionerKey(this.database, practitioner);
    const where = defined({ patientId: patient_id, practitionerKey: key, status, startsAt });
    return this.database.appointment.findMany(pageArguments(page, where));
  }

  async get(id: string): Promise<Appointment> {
    return found(await this.database.appointment.findUnique({ where: { id } }));
  }

  /**
   * Sets the fields that `change` has. Times move only while the appointment is BOOKED; the reason always. What was
   * read before the update may be outdated by then, so the update itself asks: still BOOKED, or do the times stay?
   */
  async change(id: string, change: AppointmentInput | AppointmentPatch): Promise<Appointment> {
    const times = defined({ startsAt: change.starts_at, endsAt: change.ends_at });
    const namesTimes = Object.keys(times).length > 0;
    return this.database.$transaction(async (tx) => {
      const current = found(await tx.appointment.findUnique({ where: { id } }));
      await refuseOtherParties(tx, current, change);
      refuseEmptyPeriod(current, change);
      if (namesTimes) await lockPractitioner(tx, current.practitioner);
      const [changed] = await tx.appointment.updateManyAndReturn({
        where: { id, ...(namesTimes ? { OR: [{ status: 'BOOKED' }, times] } : {}) },
        data: { ...times, ...defined({ reason: change.reason }) },
      });
      if (changed) return changed;
      const { status } = found(await tx.appointment.findUnique({ where: { id } }));
      throw new DomainError(
        'not-booked',
        `The appointment is ${status.toLowerCase()}: its times are settled.`,
      );
    }, this.limits);
  }

  async remove(id: string): Promise<void> {
    await this.database.appointment.delete({ where: { id } });
  }

  /** Repeating it is no error and no further event. */
  async become(id: string, target: AppointmentStatus): Promise<Appointment> {
    const [changed] = await this.database.appointment.updateManyAndReturn({
      where: { id, status: { in: statusesBefore(target) } },
      data: { status: target },
    });
    if (changed) return changed;
    const current = await this.get(id);
    if (current.status === target) return current;
    throw new DomainError(
      'transition-refused',
      `The appointment is ${current.status.toLowerCase()}; it cannot become ${target.toLowerCase()}.`,
    );
  }
}

function found(appointment: Appointment | null): Appointment {
  if (appointment) return appointment;
  throw new DomainError('not-found', 'There is no appointment with this id.');
}

/** Another spelling of the same practitioner is not another one; the first spelling stays. */
async function refuseOtherParties(
  tx: Pick<Prisma.TransactionClient, '$queryRaw'>,
  current: Appointment,
  { patient_id = current.patientId, practitioner = current.practitioner }: AppointmentPatch,
): Promise<void> {
  if (patient_id !== current.patientId) throw immutable('patient_id');
  if (practitioner === current.practitioner) return;
  if ((await practitionerKey(tx, practitioner)) !== current.practitionerKey) throw immutable('practitioner');
}

const immutable = (field: string): DomainError =>
  new DomainError(
    'field-immutable',
    `${field} cannot be changed: cancel the appointment and book another.`,
    field,
  );

/** The database refuses it too; this names the field that the caller has sent. */
function refuseEmptyPeriod(current: Appointment, change: AppointmentPatch): void {
  const { starts_at = current.startsAt, ends_at = current.endsAt } = change;
  if (ends_at > starts_at) return;
  const field = change.ends_at ? 'ends_at' : 'starts_at';
  throw new DomainError('period-invalid', 'An appointment must end after it starts.', field);
}
