/** A real SMTP server in the test's process, which keeps what it is given and refuses what the test says. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  /** Header lines and text, as they came. */
  readonly source: string;
}

export interface MailServer {
  readonly port: number;
  readonly mails: readonly ReceivedMail[];
  stop(): Promise<void>;
}

export interface MailServerOptions {
  /** 0, the default, picks a free one. */
  readonly port?: number;
  /** The answer to RCPT TO, if it is to be refused. */
  readonly refuseRecipient?: (address: string) => { code: number; text: string } | undefined;
  /** Further options of smtp-server. By default it offers no TLS and asks for no password. */
  readonly more?: SMTPServerOptions;
}

/** Starts one on the loopback interface. */
export async function startMailServer({
  port = 0,
  refuseRecipient,
  more = {},
}: MailServerOptions = {}): Promise<MailServer> {
  const mails: ReceivedMail[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    closeTimeout: 100,
    onRcptTo: ({ address }, _session, answer) => {
      const refused = refuseRecipient?.(address);
      answer(refused ? Object.assign(new Error(refused.text), { responseCode: refused.code }) : null);
    },
    onData: (stream, { envelope }, answer) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address;
        const to = envelope.rcptTo.map(({ address }) => address);
        mails.push({ from, to, source: Buffer.concat(chunks).toString() });
        answer(null);
      });
    },
    ...more,
  });
  // Clients that break a connection off are part of the tests.
  server.on('error', () => undefined);
  server.listen(port, '127.0.0.1');
  await once(server.server, 'listening');
  return {
    port: (server.server.address() as AddressInfo).port,
    mails,
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
