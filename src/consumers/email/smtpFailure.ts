import { PermanentError, TransientError, UnavailableError } from '../errors';

/**
 * What an error out of nodemailer means for the message. Only codes are quoted, and the error is not kept as the cause: a
 * server's text may repeat the address.
 *
 * - The server refuses this recipient or this content (5xx): no further attempt can succeed.
 * - It puts this recipient or this content off (4xx): a later attempt may succeed.
 * - Anything else (no connection, no TLS, wrong credentials, a sender that it does not accept, 421) has nothing to do
 *   with the message: all of them would fail, so they wait until somebody has mended it.
 */
export function smtpFailure(error: unknown): PermanentError | TransientError | UnavailableError {
  const { code, command, responseCode, response } = error as NodemailerError;
  const aboutMessage = command === 'RCPT TO' || command === 'DATA';
  if (code === 'EENVELOPE' && command === 'API') {
    return new PermanentError('this is no address that mail can be sent to');
  }
  if (!aboutMessage || responseCode === undefined || responseCode === 421) {
    const what = [code, command, responseCode].filter((part) => part !== undefined).join(' ');
    return new UnavailableError(`the mail server cannot be used (${what})`);
  }
  const status = /^\d{3}[ -](\d\.\d{1,3}\.\d{1,3})\b/.exec(response ?? '')?.[1];
  const answer = `${responseCode}${status === undefined ? '' : ` ${status}`} to ${command}`;
  return responseCode >= 500
    ? new PermanentError(`the mail server refused the message (${answer})`)
    : new TransientError(`the mail server put the message off (${answer})`);
}

interface NodemailerError {
  readonly code?: string;
  readonly command?: string;
  readonly responseCode?: number;
  readonly response?: string;
}
