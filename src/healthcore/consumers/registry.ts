import { Counter } from 'prom-client';
import { UserError } from 'signalbox/service';
import type { ConsumerDefinition, ConsumerParts, ConsumerSetup } from './types';
import { logMailer } from './email/logMailer';
import { createSmtpMailer } from './email/smtpMailer';
import { appointmentReminders } from './appointmentReminders';
import { auditLog, auditLogTogether } from './auditLog';
import { emailSender } from './emailSender';
import { createReminderSender } from './reminders/sender';

/** The shipped consumers. */
export const consumers: readonly ConsumerDefinition[] = [
  {
    name: 'audit-log',
    summary: 'records every event: who changed what when',
    create: () => ({ handlers: auditLog, sharedTransactions: auditLogTogether }),
  },
  {
    name: 'appointment-reminders',
    summary: 'asks for an e-mail to the patient before each appointment',
    create: createAppointmentReminders,
  },
  {
    name: 'email-sender',
    summary: 'sends the e-mails that events ask for: to the log, or by SMTP',
    create: createEmailSender,
  },
];

function createAppointmentReminders({ config, database, logger, metrics }: ConsumerSetup): ConsumerParts {
  const sent = new Counter({
    name: 'signalbox_reminders_total',
    help: 'Reminders of appointments whose e-mail was asked for',
    registers: [metrics],
  });
  const service = createReminderSender({
    database,
    leadMinutes: config.REMINDER_LEAD_MINUTES,
    timeZone: config.REMINDER_TIME_ZONE,
    logger,
    onSent: (reminders) => sent.inc(reminders),
  });
  return { handlers: appointmentReminders, service };
}

/** As long as mail servers try (RFC 5321, 4.5.4.1). One mail says nothing that another one would have to wait for. */
const postponement = { laterEvents: 'pass', patienceMs: 4 * 24 * 3_600_000 } as const;

function createEmailSender({
  config: { SMTP_URL, SMTP_FROM, SMTP_REQUIRE_TLS },
}: ConsumerSetup): ConsumerParts {
  if (SMTP_URL === undefined) return { handlers: {}, effects: emailSender(logMailer), postponement };
  if (SMTP_FROM === undefined) throw new UserError('SMTP_URL is set: set SMTP_FROM to the sender, too.');
  const mailer = createSmtpMailer({ url: SMTP_URL, from: SMTP_FROM, requireTls: SMTP_REQUIRE_TLS });
  const service = { name: 'mailer', start: async () => undefined, stop: () => mailer.close() };
  return { handlers: {}, effects: emailSender(mailer), postponement, service };
}
