import { z } from 'zod';
import { flag, whole } from 'signalbox/service';

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/** What HealthCore's own consumers read. */
export const reminderVariables = {
  REMINDER_LEAD_MINUTES: whole(1, 43_200)
    .default(1_440)
    .describe('How long before an appointment appointment-reminders asks for its e-mail, in minutes'),
  REMINDER_TIME_ZONE: z
    .string()
    .refine(isTimeZone, 'expected the name of a time zone, such as Europe/Berlin')
    .default('UTC')
    .describe('The time zone in which patients are told the time of their appointment'),
  SMTP_URL: z
    .url({ protocol: /^smtps?$/, error: 'expected smtp://user:password@host:port or smtps://…' })
    .optional()
    .describe('The mail server of email-sender; unset prints a line for each e-mail to the log instead'),
  SMTP_FROM: z
    .string()
    .regex(
      /^([^<>\r\n]*<[^<>@\s]+@[^<>@\s]+>|[^<>@\s]+@[^<>@\s]+)$/,
      'expected an address, or Name <address>',
    )
    .optional()
    .describe('Who e-mails are from: an address, or Name <address>'),
  SMTP_REQUIRE_TLS: flag
    .default(true)
    .describe("Whether a mail server that offers no TLS is refused; patients' addresses travel there"),
};
