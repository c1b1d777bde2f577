import { maskAddress } from './maskAddress';
import type { Mailer } from './mailer';

/** Says in the log that a mail would be sent, and delivers nothing: the default, for development. */
export const logMailer: Mailer = {
  send: async ({ to, template, text }, logger) => {
    logger.info(
      { template, recipient: maskAddress(to), characters: text.length },
      'an e-mail is due; set SMTP_URL to have it sent',
    );
  },
  close: async () => undefined,
};
