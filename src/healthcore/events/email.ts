import { domainToASCII } from 'node:url';
import { z } from 'zod';
import { defineCommand, erased } from 'signalbox';

const atom = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+";
const label = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?';
const topLevel = '(?:[A-Za-z]{2,63}|[Xx][Nn]--[A-Za-z0-9-]{0,58}[A-Za-z0-9])';

const longestAddress = 254;

/**
 * An address that mail can be sent to, as the envelope of SMTP has it (RFC 5321): a mailbox without quotes, at a domain
 * whose other alphabets are written as punycode.
 */
export const emailAddress = z
  .email({ pattern: new RegExp(`^${atom}(?:\\.${atom})*@(?:${label}\\.)+${topLevel}$`) })
  .max(longestAddress);

/**
 * The one form in which an address is stored: lower case, and the domain as punycode. Only ASCII letters change case: a
 * Kelvin sign is another character than K, and stays one for the schema to refuse.
 */
export function canonicalEmail(text: string): string {
  const address = text.trim();
  if (address.length > longestAddress) return address;
  const at = address.lastIndexOf('@') + 1;
  const domain = address.slice(at);
  const ascii = isAscii(domain) || !isInternational(domain) ? '' : domainToASCII(domain);
  // Node answers an empty text for what can't be a domain.
  return lowerAscii(address.slice(0, at) + (ascii || domain));
}

const isAscii = (text: string): boolean => /^[\0-\x7F]*$/.test(text);

/** Whether a domain is in another alphabet, not in ASCII's by other characters, for which IDNA would put those. */
const isInternational = (domain: string): boolean =>
  /^[\p{L}\p{M}\p{N}.-]+$/u.test(domain) &&
  Array.from(domain).every((character) => isAscii(character) || !isAscii(character.normalize('NFKC')));

const lowerAscii = (text: string): string => text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());

/** Asks the e-mail sender for one message. The aggregate is whatever the message is about. */
export const emailSend = defineCommand({
  eventType: 'email.send',
  aggregateType: 'email',
  version: '1.0',
  data: z.looseObject({
    to: emailAddress,
    subject: z.string().min(1),
    text: z.string(),
    /** What kind of message it is, for logs, which may not show the message itself. */
    template: z
      .string()
      .regex(/^[a-z][a-z0-9-]{0,63}$/)
      .optional(),
    /** When it is too late to send it. */
    expires_at: z.iso.datetime({ offset: true }).optional(),
  }),
  expiresAt: ({ expires_at }) => expires_at,
  // One that is still to be sent has expired by this, so nobody tries to send it.
  erase: ({ template }) => ({
    to: 'erased@erased.invalid',
    subject: erased,
    text: erased,
    expires_at: '1970-01-01T00:00:00.000Z',
    ...(template === undefined ? {} : { template }),
  }),
});
