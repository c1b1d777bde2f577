import type { EventData } from '../../catalogue';

/** What kind of e-mail a reminder is. */
export const reminderTemplate = 'appointment-reminder';

/**
 * What a reminder says, and until when there is a point in saying it. Mail passes many hands: no name, no practitioner (whose field may tell an illness), no reason.
 */
export function reminderMessage(to: string, startsAt: Date, timeZone: string): EventData<'email.send'> {
  const when = new Intl.DateTimeFormat('en-GB', {
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    timeZone,
    timeZoneName: 'short',
  }).format(startsAt);
  return {
    to,
    subject: 'Your appointment',
    text: `This is a reminder of your appointment on ${when}.\n\nIf you cannot come, please let us know.\n`,
    template: reminderTemplate,
    expires_at: startsAt.toISOString(),
  };
}
