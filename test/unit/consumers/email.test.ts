import { randomUUID } from 'node:crypto';
import { logMailer } from '../../../src/healthcore/consumers/email/logMailer';
import { maskAddress } from '../../../src/healthcore/consumers/email/maskAddress';
import { SmtpJudge } from '../../../src/healthcore/consumers/email/smtpJudge';
import { smtpVerdict, type SmtpVerdict } from '../../../src/healthcore/consumers/email/smtpVerdict';
import { classifyFailure } from '../../../src/consumers/failurePolicy';
import { findConsumers } from '../../../src/cli/commands/consumers';
import { consumers } from '../../../src/healthcore/consumers/registry';
import { reminderVariables } from '../../../src/healthcore/consumers/variables';
import { createMetrics } from '../../../src/shared/metrics';
import { loadConfig } from '../../../src/shared/config/load';
import type { ConsumerSetup } from '../../../src/healthcore/consumers/types';
import { patientMarker } from '../../support/events';
import { captureLogger, silentLogger } from '../../support/logger';

describe('the mailer that logs', () => {
  test('tells the template, the event and a masked recipient, and nothing of the text', async () => {
    const { logger, entries, lines } = captureLogger();
    const mail = { eventId: randomUUID(), to: `${patientMarker}@example.com`, subject: patientMarker };
    const child = logger.child({ event_id: mail.eventId });
    await logMailer.send({ ...mail, text: patientMarker, template: 'appointment-reminder' }, child);
    expect(entries()).toEqual([
      expect.objectContaining({
        event_id: mail.eventId,
        template: 'appointment-reminder',
        recipient: 'Z***@***.com',
        characters: patientMarker.length,
      }),
    ]);
    expect(lines().join('\n')).not.toContain(patientMarker);
    expect(lines().join('\n')).not.toContain('example');
  });

  test.each([
    ['ada@clinic.example', 'a***@***.example'],
    ['ada.lovelace@localhost', 'a***@***'],
    ['@', '***@***'],
    ['', '***@***'],
  ])('shows %s as %s', (address, masked) => {
    expect(maskAddress(address)).toBe(masked);
  });
});

describe('a failure of SMTP', () => {
  const verdict = (fields: object): SmtpVerdict =>
    smtpVerdict(Object.assign(new Error(patientMarker), fields));
  const answer = (command: string, response: string): object => {
    return { command, response: `${response} ${patientMarker}`, responseCode: Number(response.slice(0, 3)) };
  };

  test.each([
    [answer('DATA', '554 5.7.1'), 'unclear'],
    [answer('RCPT TO', '550 5.7.1'), 'unclear'],
    [answer('RCPT TO', '550'), 'unclear'],
    [answer('RCPT TO', '550 5.1.1'), 'message'],
    [answer('RCPT TO', '550-5.1.1'), 'message'],
    [answer('RCPT TO', '550 5.1.10'), 'message'],
    [answer('RCPT TO', '553 5.1.7'), 'unclear'],
    [answer('RCPT TO', '552 5.2.2'), 'message'],
    [answer('DATA', '552'), 'message'],
    [answer('DATA', '552 5.3.4'), 'message'],
    [answer('DATA', '554 5.3.0'), 'unclear'],
    [answer('DATA', '554 5.6.0'), 'message'],
    [answer('RCPT TO', '450'), 'later'],
    [answer('RCPT TO', '451 4.7.1'), 'later'],
    [answer('RCPT TO', '550 4.7.1'), 'later'],
    [answer('DATA', '454 4.7.0'), 'later'],
    [answer('MAIL FROM', '550'), 'sender'],
    [answer('MAIL FROM', '451 4.7.1'), 'sender'],
    [answer('MAIL FROM', '552 5.3.4'), 'message'],
    [answer('MAIL FROM', '550 5.6.7'), 'message'],
    [answer('RCPT TO', '421 4.7.0'), 'connection'],
    [{ code: 'EENVELOPE', command: 'API' }, 'message'],
    [{ code: 'EMESSAGE', command: 'MAIL FROM' }, 'message'],
    [{ code: 'EAUTH', command: 'AUTH PLAIN', responseCode: 535 }, 'connection'],
    [{ code: 'EAUTH', command: 'AUTH PLAIN', responseCode: 454 }, 'connection'],
    [{ code: 'ESOCKET', command: 'CONN' }, 'connection'],
    [{}, 'connection'],
  ])('with %j is about: %s; and quotes nothing', (fields, fault) => {
    const found = verdict(fields);
    expect(found.fault).toBe(fault);
    expect(found.answer).not.toContain(patientMarker);
  });

  const judgeFor = (usable: boolean): SmtpJudge => new SmtpJudge(async () => usable);
  const classOf = async (judge: SmtpJudge, id: string, fault: SmtpVerdict['fault']): Promise<string> =>
    (await judge.judge(id, { fault, answer: '' })).name;

  test('that has nothing to do with the message counts as our own trouble, which is waited out', async () => {
    const error = await judgeFor(false).judge('a', verdict({ code: 'ESOCKET', command: 'CONN' }));
    const { kind, reason } = classifyFailure(error, {});
    expect({ kind, reason }).toEqual({
      kind: 'own',
      reason: 'the mail server cannot be used (ESOCKET CONN)',
    });
  });

  test('at the connection is waited out for as long as no connection can be made', async () => {
    const judge = judgeFor(false);
    for (let attempt = 0; attempt < 20; attempt += 1)
      expect(await classOf(judge, 'a', 'connection')).toBe('UnavailableError');
  });

  test('at the connection puts a message off at the third attempt if connections can be made', async () => {
    const judge = judgeFor(true);
    expect(await classOf(judge, 'a', 'connection')).toBe('UnavailableError');
    expect(await classOf(judge, 'a', 'connection')).toBe('UnavailableError');
    expect(await classOf(judge, 'b', 'connection')).toBe('UnavailableError');
    expect(await classOf(judge, 'a', 'connection')).toBe('PostponeError');
    judge.accepted('a');
    expect(await classOf(judge, 'a', 'connection')).toBe('UnavailableError');
  });

  test('of the sender holds everybody up, unless others have got through since', async () => {
    const judge = judgeFor(true);
    expect(await classOf(judge, 'a', 'sender')).toBe('UnavailableError');
    expect(await classOf(judge, 'a', 'sender')).toBe('UnavailableError');
    judge.accepted('b');
    expect(await classOf(judge, 'a', 'sender')).toBe('PostponeError');
  });

  test('that is unclear gives a message up only if others have got through twice between its refusals', async () => {
    const judge = judgeFor(true);
    judge.accepted('before');
    for (let attempt = 0; attempt < 20; attempt += 1)
      expect(await classOf(judge, 'a', 'unclear')).toBe('PostponeError');
    judge.accepted('b');
    for (let attempt = 0; attempt < 20; attempt += 1)
      expect(await classOf(judge, 'a', 'unclear')).toBe('PostponeError');
    judge.accepted('b');
    expect(await classOf(judge, 'a', 'unclear')).toBe('PermanentError');
  });
});

test('a mail server without a sender’s address is refused when the consumer is made, in one line', () => {
  const [emailSender] = findConsumers(consumers, ['email-sender']);
  const config = loadConfig(reminderVariables, { SMTP_URL: 'smtp://127.0.0.1:25' });
  const setup: Partial<ConsumerSetup> = { config, logger: silentLogger(), metrics: createMetrics('test') };
  expect(() => emailSender?.create(setup as ConsumerSetup)).toThrow('SMTP_URL is set: set SMTP_FROM');
});
