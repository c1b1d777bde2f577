import type { Mailer } from '../email/mailer';
import type { Handlers } from '../handlers';

/** Hands every mail that an event asks for to the mailer, inside the transaction that notes the event as processed. */
export function emailSender(mailer: Mailer): Handlers {
  return {
    'email.send': ({ event_id, data }, { logger }) => mailer.send({ eventId: event_id, ...data }, logger),
  };
}
