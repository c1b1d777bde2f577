/** A real SMTP server in the test's process, which keeps what it is given and refuses what the test says. */
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
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
  /** Cuts the connection, without an answer, when mail to this address is to be sent. */
  readonly hangUpAt?: (address: string) => boolean;
  /** The answer to a mail's text, if it is to be refused. */
  readonly refuseText?: (to: readonly string[]) => { code: number; text: string } | undefined;
  /** Further options of smtp-server. By default it offers no TLS and asks for no password. */
  readonly more?: SMTPServerOptions;
}

/** Starts one on the loopback interface. */
export async function startMailServer({
  port = 0,
  refuseRecipient,
  hangUpAt,
  refuseText,
  more = {},
}: MailServerOptions = {}): Promise<MailServer> {
  const mails: ReceivedMail[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    closeTimeout: 100,
    onRcptTo: ({ address }, session, answer) => {
      if (hangUpAt?.(address)) return hangUp(server, session.id);
      const refused = refuseRecipient?.(address);
      answer(refused ? Object.assign(new Error(refused.text), { responseCode: refused.code }) : null);
    },
    onData: (stream, { envelope }, answer) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address;
        const to = envelope.rcptTo.map(({ address }) => address);
        const refused = refuseText?.(to);
        if (refused) return answer(Object.assign(new Error(refused.text), { responseCode: refused.code }));
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

function hangUp(server: SMTPServer, sessionId: string): void {
  for (const connection of server.connections) {
    const { id, _socket } = connection as unknown as { id: string; _socket: Socket };
    if (id === sessionId) _socket.destroy();
  }
}
