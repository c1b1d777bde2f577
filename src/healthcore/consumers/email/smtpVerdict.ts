/**
 * Whom a failed SMTP conversation is about, as far as one answer tells.
 * - `message`: this recipient, or this text. No further attempt can succeed.
 * - `later`: the server puts the message off, as greylisting does.
 * - `unclear`: a refusal that servers give to a single recipient and to everybody alike: policy, reputation, an account
 *   that may not send. What becomes of other messages tells which it is (smtpJudge.ts).
 * - `sender`: the server refuses the sender, so very likely every message.
 * - `connection`: there is no conversation, or it broke off: no connection, no TLS, wrong credentials, 421, a hang-up.
 */
export type SmtpFault = 'message' | 'later' | 'unclear' | 'sender' | 'connection';

export interface SmtpVerdict {
  readonly fault: SmtpFault;
  /** Codes only: a server's text may repeat the address. */
  readonly answer: string;
}

interface NodemailerError {
  readonly code?: string;
  readonly command?: string;
  readonly responseCode?: number;
  readonly response?: string;
}

/**
 * Statuses (RFC 3463) that are about the recipient or the text: addresses (but not the sender's, 5.1.7 and 5.1.8),
 * mailboxes, a message that is too big, media that cannot be handled.
 */
const aboutMessage = /^5\.(1\.([1-6]|9|10)|2\.\d+|3\.4|6\.\d+)$/;

/** Judges an error out of nodemailer by the enhanced status, if there is one, and by the command that was answered. */
export function smtpVerdict(error: unknown): SmtpVerdict {
  const { code, command, responseCode, response } = error as NodemailerError;
  if (command === 'API' && (code === 'EENVELOPE' || code === 'EMESSAGE'))
    return { fault: 'message', answer: `${code} API` };
  // nodemailer has compared the message with the size that the server announces.
  if (command === 'MAIL FROM' && code === 'EMESSAGE')
    return { fault: 'message', answer: 'too big for the server' };
  const inConversation = command === 'MAIL FROM' || command === 'RCPT TO' || command === 'DATA';
  if (!inConversation || responseCode === undefined || responseCode === 421) {
    const answer = [code, command, responseCode].filter((part) => part !== undefined).join(' ');
    return { fault: 'connection', answer };
  }
  const status = /^\d{3}[ -](\d\.\d{1,3}\.\d{1,3})\b/.exec(response ?? '')?.[1];
  const answer = `${responseCode}${status === undefined ? '' : ` ${status}`} to ${command}`;
  return { fault: faultOf(responseCode, status, command), answer };
}

function faultOf(responseCode: number, status: string | undefined, command: string): SmtpFault {
  if (responseCode >= 500 && status !== undefined && aboutMessage.test(status)) return 'message';
  // 552: the mailbox is full, or the message too big.
  if (responseCode === 552 && status === undefined) return 'message';
  if (command === 'MAIL FROM') return 'sender';
  return responseCode < 500 || status?.startsWith('4.') ? 'later' : 'unclear';
}
