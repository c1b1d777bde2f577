import { createSmtpMailer, type SmtpOptions } from '../../../../src/healthcore/consumers/email/smtpMailer';
import type { Mailer } from '../../../../src/healthcore/consumers/email/mailer';
import type { Effects } from '../../../../src/healthcore/consumers/types';
import { emailSender } from '../../../../src/healthcore/consumers/emailSender';
import type { Outcome } from '../../../../src/consumers/outcome';
import { processMessage, type ProcessDependencies } from '../../../../src/consumers/processMessage';
import { type EventEnvelope, catalogue } from '../../../../src/healthcore/catalogue';
import type { Prisma, PrismaClient } from '../../../../src/generated/prisma/client';
import { createPrismaClient } from '../../../../src/healthcore/createPrismaClient';
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

async function process(
  event: EventEnvelope<'email.send'>,
  effects: Effects,
  more: Partial<ProcessDependencies<Prisma.TransactionClient>> = {},
): Promise<Outcome> {
  return processMessage(messageOf(event, 'test'), {
    consumer: 'email-sender',
    handlers: {},
    effects,
    catalogue,
    topicPrefix: 'test',
    database: prisma,
    logger: log.logger,
    handlerTimeoutMs: 60_000,
    attempt: 1,
    ...more,
  });
}

/** As the runner does while its partition waits: until the outcome is another one than an outage. */
async function processUntilItGoesOn(event: EventEnvelope<'email.send'>, effects: Effects): Promise<Outcome> {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    const outcome = await process(event, effects);
    if (outcome.kind !== 'failed' || outcome.failure.kind !== 'own') return outcome;
  }
  throw new Error('the partition still waits');
}

/** A database whose transactions are counted, and from number `failing` on refused. */
function failingFrom(failing: number): ProcessDependencies<Prisma.TransactionClient>['database'] {
  let transactions = 0;
  return {
    $queryRawUnsafe: (sql) => prisma.$queryRawUnsafe(sql),
    $transaction: async (work, options) => {
      transactions += 1;
      if (transactions >= failing) throw new Error('Connection terminated');
      return prisma.$transaction(work, options);
    },
  };
}

const later = (reason: string): object => ({ kind: 'failed', failure: { kind: 'later', reason } });
const leases = (): Promise<unknown[]> => prisma.$queryRaw`SELECT 1 FROM signalbox.effect_lease`;
const endLeases = (): Promise<number> =>
  prisma.$executeRaw`UPDATE signalbox.effect_lease SET expires_at = now()`;

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

test('a mail that was accepted before its process died is sent again under the same Message-ID, when its lease is over', async () => {
  const server = await serve();
  const effects = emailSender(mailerFor(server.port));
  const event = mailTo('ada@example.com');
  const dying = { database: failingFrom(2) };
  expect(await process(event, effects, dying)).toMatchObject({ kind: 'failed', failure: { kind: 'own' } });
  expect(server.mails).toHaveLength(1);
  expect(await process(event, effects)).toMatchObject({ failure: { kind: 'own', errorClass: 'LeaseTaken' } });
  await endLeases();
  expect(await process(event, effects)).toEqual({ kind: 'processed' });
  expect(server.mails).toHaveLength(2);
  expect(new Set(server.mails.map(messageIdOf)).size).toBe(1);
  expect(await leases()).toEqual([]);
});

test('a mail that only the database could not note is not sent again by the process that has sent it', async () => {
  const server = await serve();
  const effects = emailSender(mailerFor(server.port));
  const event = mailTo('ada@example.com');
  const happened = new Set<string>();
  await process(event, effects, { database: failingFrom(2), happened });
  await endLeases();
  expect(await process(event, effects, { happened })).toEqual({ kind: 'processed' });
  expect(await process(event, effects, { happened })).toEqual({ kind: 'duplicate' });
  expect(server.mails).toHaveLength(1);
  expect(happened.size).toBe(0);
});

test('two processes with the same event send one mail, and no transaction is open while it is sent', async () => {
  let open: { idle: number } | undefined;
  const server = await serve({
    refuseRecipient: () => undefined,
    more: {
      onMailFrom: (_address, _session, answer) => {
        void prisma.$queryRaw<{ idle: number }[]>`
          SELECT count(*)::int AS idle FROM pg_stat_activity
          WHERE datname = current_database() AND state LIKE 'idle in transaction%'`.then(([row]) => {
          open = row;
          answer();
        });
      },
    },
  });
  const effects = emailSender(mailerFor(server.port));
  const event = mailTo('ada@example.com');
  const kinds = (await Promise.all([process(event, effects), process(event, effects)])).map(
    ({ kind }) => kind,
  );
  expect(kinds.sort()).toEqual(['failed', 'processed']);
  expect(await process(event, effects)).toEqual({ kind: 'duplicate' });
  expect(server.mails).toHaveLength(1);
  expect(open).toEqual({ idle: 0 });
});

test.each([
  [550, '5.1.1 No such user', 'permanent', 'the mail server refused the message (550 5.1.1 to RCPT TO)'],
  [553, '5.1.3 Bad address', 'permanent', 'the mail server refused the message (553 5.1.3 to RCPT TO)'],
  [550, '5.2.1 Mailbox disabled', 'permanent', 'the mail server refused the message (550 5.2.1 to RCPT TO)'],
  [552, 'Mailbox full', 'permanent', 'the mail server refused the message (552 to RCPT TO)'],
  [552, '5.3.4 Too big', 'permanent', 'the mail server refused the message (552 5.3.4 to RCPT TO)'],
  [450, '4.2.0 Greylisted', 'later', 'the mail server put the message off (450 4.2.0 to RCPT TO)'],
  [451, '4.7.1 Greylisted', 'later', 'the mail server put the message off (451 4.7.1 to RCPT TO)'],
  [452, '4.3.1 Disk full', 'later', 'the mail server put the message off (452 4.3.1 to RCPT TO)'],
  [454, '4.7.0 Not now', 'later', 'the mail server put the message off (454 4.7.0 to RCPT TO)'],
  [421, '4.3.2 Shutting down', 'own', 'the mail server cannot be used (ECONNECTION CONN 421)'],
])('a recipient refused with %i %s is a failure of the kind "%s": %s', async (code, text, kind, reason) => {
  const server = await serve({ refuseRecipient: (address) => ({ code, text: `${text} <${address}>` }) });
  const outcome = await process(mailTo(`${patientMarker}@example.com`), emailSender(mailerFor(server.port)));
  expect(outcome).toMatchObject({ kind: 'failed', failure: { kind, reason } });
  expect(server.mails).toEqual([]);
  expect(await leases()).toEqual([]);
});

describe('a refusal that does not say whom it is about', () => {
  const policy = { code: 554, text: '5.7.1 Message rejected under policy' };

  test('and that everybody gets gives up no mail, however often; all go out when it is over', async () => {
    let refusing = true;
    const server = await serve({ refuseRecipient: () => (refusing ? policy : undefined) });
    const effects = emailSender(mailerFor(server.port));
    const events = ['ada', 'grace', 'edsger', 'barbara'].map((name) => mailTo(`${name}@example.com`));
    for (let round = 0; round < 3; round += 1) {
      for (const event of events) {
        expect(await process(event, effects)).toMatchObject(
          later("the mail server refused the message and perhaps everybody's (554 5.7.1 to RCPT TO)"),
        );
      }
    }
    refusing = false;
    for (const event of events) expect(await process(event, effects)).toEqual({ kind: 'processed' });
    expect(server.mails).toHaveLength(4);
  });

  test.each([
    [554, '5.7.1 rejected'],
    [550, '5.7.606 banned'],
    [550, 'no'],
    [554, '5.5.4 error'],
    [550, '5.1.8 bad sender'],
  ])(
    '(%i %s) and that one message gets again and again, while others get through, is about that one',
    async (code, text) => {
      const refuseRecipient = (address: string): { code: number; text: string } | undefined =>
        address.startsWith('spam') ? { code, text } : undefined;
      const server = await serve({ refuseRecipient });
      const effects = emailSender(mailerFor(server.port));
      const event = mailTo('spam@example.com');
      await process(mailTo('grace@example.com'), effects);
      expect(await process(event, effects)).toMatchObject({ failure: { kind: 'later' } });
      expect(await process(event, effects)).toMatchObject({ failure: { kind: 'later' } });
      await process(mailTo('ada@example.com'), effects);
      expect(await process(event, effects)).toMatchObject({ failure: { kind: 'later' } });
      await process(mailTo('edsger@example.com'), effects);
      expect(await process(event, effects)).toMatchObject({ failure: { kind: 'permanent' } });
    },
  );
});

test('a server that hangs up at one message gets three attempts at it; then the message is put off and others go', async () => {
  let hangUps = 0;
  const hangUpAt = (address: string): boolean => {
    if (address.startsWith('bomb')) hangUps += 1;
    return address.startsWith('bomb');
  };
  const server = await serve({ hangUpAt });
  const effects = emailSender(mailerFor(server.port));
  const bomb = mailTo('bomb@example.com');
  expect(await process(bomb, effects)).toMatchObject({ failure: { kind: 'own' } });
  expect(await processUntilItGoesOn(bomb, effects)).toMatchObject(
    later('the mail server breaks off at this message (ECONNECTION CONN)'),
  );
  expect(hangUps).toBeGreaterThanOrEqual(3);
  expect(await process(mailTo('ada@example.com'), effects)).toEqual({ kind: 'processed' });
});

test('a text that is refused is judged like a recipient', async () => {
  const answers = new Map([
    ['virus@example.com', { code: 550, text: '5.6.0 content' }],
    ['spam@example.com', { code: 554, text: '5.7.1 spam' }],
    ['slow@example.com', { code: 451, text: '4.7.1 later' }],
  ]);
  const server = await serve({ refuseText: ([to = '']) => answers.get(to) });
  const effects = emailSender(mailerFor(server.port));
  const kindOf = async (to: string): Promise<unknown> => {
    const outcome = await process(mailTo(to), effects);
    return outcome.kind === 'failed' && outcome.failure.kind;
  };
  expect(await kindOf('virus@example.com')).toBe('permanent');
  expect(await kindOf('spam@example.com')).toBe('later');
  expect(await kindOf('slow@example.com')).toBe('later');
});

describe('a command that came too late', () => {
  const at = (expires_at: string): EventEnvelope<'email.send'> => {
    const event = mailTo('ada@example.com');
    return { ...event, data: { ...event.data, expires_at } };
  };

  test('is not carried out, and is done with', async () => {
    const server = await serve();
    const effects = emailSender(mailerFor(server.port));
    const event = at('2026-01-05T19:00:00+02:00');
    expect(await process(event, effects)).toEqual({ kind: 'not_wanted', reason: 'expired' });
    expect(await process(event, effects)).toEqual({ kind: 'duplicate' });
    expect(await process(at('2999-01-05T19:00:00Z'), effects)).toEqual({ kind: 'processed' });
    expect(server.mails).toHaveLength(1);
    expect(await leases()).toEqual([]);
  });

  test('goes by the clock of the database', async () => {
    const server = await serve();
    const effects = emailSender(mailerFor(server.port));
    jest.useFakeTimers({
      now: new Date('2999-01-01'),
      advanceTimers: true,
      doNotFake: ['nextTick', 'setImmediate'],
    });
    const outcome = await process(at(new Date('2900-01-01').toISOString()), effects);
    jest.useRealTimers();
    expect(outcome).toEqual({ kind: 'processed' });
  });
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
