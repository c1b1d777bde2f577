import { z } from 'zod';
import { defineCommand } from './command';

/** Asks the e-mail sender for one message. The aggregate is whatever the message is about. */
export const emailSend = defineCommand({
  eventType: 'email.send',
  aggregateType: 'email',
  version: '1.0',
  data: z.looseObject({ to: z.email(), subject: z.string().min(1), text: z.string() }),
});
