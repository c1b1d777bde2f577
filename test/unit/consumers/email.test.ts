import { randomUUID } from 'node:crypto';
import { logMailer } from '../../../src/consumers/email/logMailer';
import { maskAddress } from '../../../src/consumers/email/maskAddress';
import { smtpFailure } from '../../../src/consumers/email/smtpFailure';
import { classifyFailure } from '../../../src/consumers/failurePolicy';
import { findConsumers } from '../../../src/consumers/registry';
import { createMetrics } from '../../../src/shared/metrics';
import { loadConfig } from '../../../src/shared/config/load';
import { consumerVariables } from '../../../src/shared/config/variables';
import type { ConsumerSetup } from '../../../src/consumers/definition';
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
  const failure = (fields: object): Error => smtpFailure(Object.assign(new Error(patientMarker), fields));

  test.each([
    [{ command: 'DATA', responseCode: 554, response: `554 5.7.1 ${patientMarker}` }, 'PermanentError'],
    [{ command: 'RCPT TO', responseCode: 450, response: `450 ${patientMarker}` }, 'TransientError'],
    [{ code: 'EENVELOPE', command: 'API' }, 'PermanentError'],
    [{ code: 'EENVELOPE', command: 'MAIL FROM', responseCode: 550 }, 'UnavailableError'],
    [{ code: 'EAUTH', command: 'AUTH PLAIN', responseCode: 535 }, 'UnavailableError'],
    [{ code: 'ESOCKET', command: 'CONN' }, 'UnavailableError'],
    [{}, 'UnavailableError'],
  ])('with %j is a %s that quotes nothing', (fields, name) => {
    const { name: found, message } = failure(fields);
    expect(found).toBe(name);
    expect(message).not.toContain(patientMarker);
  });

  test('that has nothing to do with the message counts as our own trouble, which is waited out', () => {
    const { kind, reason } = classifyFailure(failure({ code: 'ESOCKET', command: 'CONN' }), {});
    expect({ kind, reason }).toEqual({
      kind: 'own',
      reason: 'the mail server cannot be used (ESOCKET CONN)',
    });
  });
});

test('a mail server without a sender’s address is refused when the consumer is made, in one line', () => {
  const found = findConsumers(['email-sender']);
  const [emailSender] = 'unknown' in found ? [] : found.consumers;
  const config = loadConfig(consumerVariables, { SMTP_URL: 'smtp://127.0.0.1:25' });
  const setup: Partial<ConsumerSetup> = { config, logger: silentLogger(), metrics: createMetrics('test') };
  expect(() => emailSender?.create(setup as ConsumerSetup)).toThrow('SMTP_URL is set: set SMTP_FROM');
});
