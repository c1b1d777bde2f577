import type { EventEnvelope } from '../catalogue';
import type { Prisma } from '../../generated/prisma/client';
import type { Effects } from './types';
import type { Mailer } from './email/mailer';
import { reminderTemplate } from './reminders/message';
import { isReminderDue } from './reminders/isReminderDue';

/** By template: whether what the mail says still holds. Mails of other templates are sent as they are asked for. */
const checks: Record<
  string,
  (tx: Prisma.TransactionClient, event: EventEnvelope<'email.send'>) => Promise<boolean>
> = { [reminderTemplate]: isReminderDue };

/** Hands every mail that an event asks for to the mailer, unless it has expired or does not hold any more. */
export function emailSender(mailer: Mailer): Effects {
  return {
    'email.send': {
      isWanted: async (event, { tx }) => checks[event.data.template ?? '']?.(tx, event) ?? true,
      run: ({ event_id, data }, { logger }) => mailer.send({ eventId: event_id, ...data }, logger),
    },
  };
}
