import { z } from 'zod';
import { defineCommand } from './command';
import { erased } from './erased';

/** An address that mail can be sent to. */
export const emailAddress = z.email();

/** Asks the e-mail sender for one message. The aggregate is whatever the message is about. */
export const emailSend = defineCommand({
  eventType: 'email.send',
  aggregateType: 'email',
  version: '1.0',
  data: z.looseObject({
    to: emailAddress,
    subject: z.string().min(1),
    text: z.string(),
    /** What kind of message it is, for logs, which may not show the message itself. */
    template: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,63}$/)
      .optional(),
    /** When it is too late to send it. */
    expires_at: z.iso.datetime({ offset: true }).optional(),
  }),
  expiresAt: ({ expires_at }) => expires_at,
  // One that is still to be sent has expired by this, so nobody tries to send it.
  erase: ({ template }) => ({
    to: 'erased@erased.invalid',
    subject: erased,
    text: erased,
    expires_at: '1970-01-01T00:00:00.000Z',
    ...(template === undefined ? {} : { template }),
  }),
});
