/*
 * Mail by SMTP, over a few connections that are kept open.
 *
 * The inbox cannot help here: the server may accept a mail and this process die before it has noted so. The mail is
 * then sent again, at least once is all that SMTP allows. Each attempt carries the same Message-ID, made of the event's
 * id, by which mail servers and mailboxes know the copy.
 */
import { createTransport } from 'nodemailer';
import { withDeadline } from 'signalbox/service';
import type { Mailer } from './mailer';
import { SmtpJudge } from './smtpJudge';
import { smtpVerdict } from './smtpVerdict';

export interface SmtpOptions {
  /** `smtp://user:password@host:port`, or smtps for TLS from the first byte. */
  readonly url: string;
  /** The sender: an address, or a name with the address in angle brackets. */
  readonly from: string;
  /** Whether a server that offers no TLS is refused. */
  readonly requireTls: boolean;
}

/** Together shorter than an effect may take, so that the server's answer decides and not ours. */
const deadlineMs = 45_000;
const probeDeadlineMs = 10_000;

export function createSmtpMailer({ url, from, requireTls }: SmtpOptions): Mailer {
  const transport = createTransport({
    url,
    pool: true,
    maxConnections: 4,
    // Once more at once, for a connection that the server has closed while it was idle; anything else is the runner's.
    maxRequeues: 1,
    requireTLS: requireTls,
    connectionTimeout: 10_000,
    greetingTimeout: 10_000,
    socketTimeout: 30_000,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const isUsable = async (): Promise<boolean> => {
    try {
      return await withDeadline(transport.verify(), probeDeadlineMs);
    } catch {
      return false;
    }
  };
  const judge = new SmtpJudge(isUsable);
  const domain = from.slice(from.lastIndexOf('@') + 1).replace('>', '');
  return {
    send: async ({ eventId, to, subject, text }) => {
      try {
        await transport.sendMail({
          from,
          to,
          subject,
          text,
          messageId: `<${eventId}@${domain}>`,
          headers: { 'Auto-Submitted': 'auto-generated' },
          signal: AbortSignal.timeout(deadlineMs),
        });
        judge.accepted(eventId);
      } catch (error) {
        throw await judge.judge(eventId, smtpVerdict(error));
      }
    },
    close: async () => transport.close(),
  };
}
