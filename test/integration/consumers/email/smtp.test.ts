import { createSmtpMailer, type SmtpOptions } from '../../../../src/consumers/email/smtpMailer';
import type { Mailer } from '../../../../src/consumers/email/mailer';
import type { Handlers } from '../../../../src/consumers/handlers';
import { emailSender } from '../../../../src/consumers/handlers/emailSender';
import type { Outcome } from '../../../../src/consumers/outcome';
import { processMessage } from '../../../../src/consumers/processMessage';
import type { EventEnvelope } from '../../../../src/events/envelope';
import type { PrismaClient } from '../../../../src/generated/prisma/client';
import { createPrismaClient } from '../../../../src/shared/database';
import { createTestDatabase, type TestDatabase } from '../../../support/database';
import { eventOf, messageOf, patientMarker } from '../../../support/events';
import { captureLogger, silentLogger } from '../../../support/logger';
import { type MailServer, type MailServerOptions, startMailServer } from '../../../support/mailServer';

let database: TestDatabase;
let prisma: PrismaClient;
const servers: MailServer[] = [];
const mailers: Mailer[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  prisma = createPrismaClient({
    databaseUrl: database.url,
    poolSize: 5,
    applicationName: 'mail',
    logger: silentLogger(),
  });
});

afterEach(async () => {
  await Promise.all(mailers.splice(0).map((mailer) => mailer.close()));
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

afterAll(async () => {
  await prisma.$disconnect();
  await database.assertNoLeaks();
  await database.drop();
});

async function serve(options?: MailServerOptions): Promise<MailServer> {
  const server = await startMailServer(options);
  servers.push(server);
  return server;
}

function mailerFor(
  port: number,
  more: Partial<SmtpOptions> & { login?: string; query?: string } = {},
): Mailer {
  const { login = '', query = '', ...options } = more;
  const url = `smtp://${login}127.0.0.1:${port}${query}`;
  const mailer = createSmtpMailer({
    url,
    from: 'Clinic <no-reply@clinic.example>',
    requireTls: false,
    ...options,
  });
  mailers.push(mailer);
  return mailer;
}

const mailTo = (to: string): EventEnvelope<'email.send'> =>
  eventOf('email.send', {
    to,
    subject: 'Ihr Termin – morgen',
    text: 'Grüße\n.\nEnde',
    template: 'appointment-reminder',
  });

const log = captureLogger();

async function process(event: EventEnvelope<'email.send'>, handlers: Handlers): Promise<Outcome> {
  return processMessage(messageOf(event, 'test'), {
    consumer: 'email-sender',
    handlers,
    topicPrefix: 'test',
    database: prisma,
    logger: log.logger,
    handlerTimeoutMs: 60_000,
    attempt: 1,
  });
}

const messageIdOf = (mail: { source: string } | undefined): string | undefined =>
  /^Message-ID: (<.+>)/im.exec(mail?.source ?? '')?.[1];

test('an event becomes one mail, delivered twice or not, whose Message-ID is made of the event’s id', async () => {
  const server = await serve();
  const handlers = emailSender(mailerFor(server.port));
  const event = mailTo('ada@example.com');
  expect(await process(event, handlers)).toEqual({ kind: 'processed' });
  expect(await process(event, handlers)).toEqual({ kind: 'duplicate' });
  expect(server.mails).toHaveLength(1);
  const [mail] = server.mails;
  expect(mail).toMatchObject({ from: 'no-reply@clinic.example', to: ['ada@example.com'] });
  expect(messageIdOf(mail)).toBe(`<${event.event_id}@clinic.example>`);
  expect(mail?.source).toContain('Auto-Submitted: auto-generated');
  expect(mail?.source).toContain('From: Clinic <no-reply@clinic.example>');
});

test('a mail that was accepted before its transaction failed is sent again under the same Message-ID', async () => {
  const server = await serve();
  const { 'email.send': send } = emailSender(mailerFor(server.port));
  const event = mailTo('ada@example.com');
  const failing: Handlers = {
    'email.send': async (sent, context) => {
      await send?.(sent, context);
      throw new Error('died before the commit');
    },
  };
  expect(await process(event, failing)).toMatchObject({ kind: 'failed', failure: { kind: 'failed' } });
  expect(await process(event, emailSender(mailerFor(server.port)))).toEqual({ kind: 'processed' });
  expect(server.mails).toHaveLength(2);
  expect(new Set(server.mails.map(messageIdOf)).size).toBe(1);
});

test.each([
  [550, '5.1.1 No such user', 'permanent', 'the mail server refused the message (550 5.1.1 to RCPT TO)'],
  [552, 'Mailbox full', 'permanent', 'the mail server refused the message (552 to RCPT TO)'],
  [451, '4.7.1 Greylisted', 'failed', 'the mail server put the message off (451 4.7.1 to RCPT TO)'],
  [421, '4.3.2 Shutting down', 'own', 'the mail server cannot be used (ECONNECTION CONN 421)'],
])('a recipient refused with %i %s is a failure of the kind "%s": %s', async (code, text, kind, reason) => {
  const server = await serve({ refuseRecipient: (address) => ({ code, text: `${text} <${address}>` }) });
  const outcome = await process(mailTo(`${patientMarker}@example.com`), emailSender(mailerFor(server.port)));
  expect(outcome).toMatchObject({ kind: 'failed', failure: { kind, reason } });
  expect(server.mails).toEqual([]);
});

test('a recipient who is refused does not keep the next one from getting mail', async () => {
  const refuseRecipient = (address: string): { code: number; text: string } | undefined =>
    address.startsWith('gone') ? { code: 550, text: 'no such user' } : undefined;
  const server = await serve({ refuseRecipient });
  const handlers = emailSender(mailerFor(server.port));
  const kinds: string[] = [];
  for (const name of ['gone1', 'ada', 'gone2', 'grace']) {
    kinds.push((await process(mailTo(`${name}@example.com`), handlers)).kind);
  }
  expect(kinds).toEqual(['failed', 'processed', 'failed', 'processed']);
  expect(server.mails.map(({ to }) => to[0])).toEqual(['ada@example.com', 'grace@example.com']);
});

describe('nobody’s mail is given up', () => {
  const unavailable = { kind: 'failed', failure: { kind: 'own', errorClass: 'UnavailableError' } };

  test('while no server listens; it goes out when one does', async () => {
    const server = await serve();
    await server.stop();
    const handlers = emailSender(mailerFor(server.port));
    const event = mailTo('ada@example.com');
    expect(await process(event, handlers)).toMatchObject(unavailable);
    const again = await serve({ port: server.port });
    expect(await process(event, handlers)).toEqual({ kind: 'processed' });
    expect(again.mails).toHaveLength(1);
  });

  test('when the server was restarted between two mails', async () => {
    const server = await serve();
    const handlers = emailSender(mailerFor(server.port));
    await process(mailTo('ada@example.com'), handlers);
    await server.stop();
    const again = await serve({ port: server.port });
    expect(await process(mailTo('ada@example.com'), handlers)).toEqual({ kind: 'processed' });
    expect(again.mails).toHaveLength(1);
  });

  test('for a wrong password', async () => {
    const login = {
      onAuth: (_auth: unknown, _session: unknown, answer: (error: Error) => void) => answer(new Error('no')),
    };
    const server = await serve({ more: { ...login, authOptional: false, allowInsecureAuth: true } });
    const handlers = emailSender(mailerFor(server.port, { login: 'user:wrong@' }));
    expect(await process(mailTo('ada@example.com'), handlers)).toMatchObject(unavailable);
  });

  test('because a server offers no TLS where it must, and nothing is sent in the clear', async () => {
    const server = await serve();
    const handlers = emailSender(mailerFor(server.port, { requireTls: true }));
    expect(await process(mailTo('ada@example.com'), handlers)).toMatchObject(unavailable);
    expect(server.mails).toEqual([]);
  });

  test('because of a certificate that nobody vouches for', async () => {
    const server = await serve({ more: { disabledCommands: [], logger: false } });
    const handlers = emailSender(mailerFor(server.port, { requireTls: true }));
    expect(await process(mailTo('ada@example.com'), handlers)).toMatchObject(unavailable);
    const trusting = mailerFor(server.port, { requireTls: true, query: '?tls.rejectUnauthorized=false' });
    expect(await process(mailTo('ada@example.com'), emailSender(trusting))).toEqual({ kind: 'processed' });
  });
});

afterAll(() => {
  // Whatever the tests above have logged.
  expect(log.lines().join('\n')).not.toContain(patientMarker);
});
