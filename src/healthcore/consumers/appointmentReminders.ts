import { emailAddress } from '../events/email';
import type { EventOf } from '../catalogue';
import type { HandlerContext, Handlers } from './types';
import { noteAppointment } from './reminders/appointments';
import { noteContact } from './reminders/contacts';

/**
 * Keeps up with who is to be reminded of what; `reminders/sender.ts` sends. The topics may come in any order: of each
 * appointment and each patient the event with the greatest `metadata.sequence` counts.
 */
export const appointmentReminders: Handlers = {
  'patient.created': setContact,
  'patient.updated': setContact,
  'patient.deleted': (event, { tx }) => noteContact(tx, event, null),
  'appointment.booked': schedule,
  'appointment.rescheduled': schedule,
  'appointment.cancelled': (event, { tx }) => noteAppointment(tx, event, null),
  'appointment.completed': (event, { tx }) => noteAppointment(tx, event, null),
  'appointment.deleted': (event, { tx }) => noteAppointment(tx, event, null),
};

/** The catalogue promises text, not an address: one that `email.send` would refuse must not stop the sender later. */
async function setContact(
  event: EventOf<'patient.created' | 'patient.updated'>,
  { tx, logger }: HandlerContext,
): Promise<void> {
  const { success, data: email } = emailAddress.safeParse(event.data.email);
  if (!success) {
    logger.warn(
      { patient_id: event.data.patient_id },
      'this patient has no address that mail can be sent to',
    );
  }
  await noteContact(tx, event, success ? email : null);
}

/** Times of a cancelled appointment can be changed too; that reminds nobody. */
async function schedule(
  event: EventOf<'appointment.booked' | 'appointment.rescheduled'>,
  { tx }: HandlerContext,
): Promise<void> {
  await noteAppointment(tx, event, event.data.status === 'BOOKED' ? event.data.starts_at : null);
}
