/*
 * What a failed attempt to send a mail means, judged by what becomes of others.
 *
 * A refusal that does not say whom it is about ("5.7.1 not allowed") is put off. When the same message is refused again,
 * and again, although the server has taken others in between, it is about this message, which is given up. When nothing
 * else has got through either, it is about us, and no mail is given up for it.
 *
 * In the same way a server that breaks off is waited for, since nothing can be sent; but one that takes connections and
 * logins, and breaks off at this message again and again, must not keep the others waiting: this one is put off.
 */
import { PermanentError, PostponeError, UnavailableError } from 'signalbox/consumers';
import type { SmtpVerdict } from './smtpVerdict';

type SmtpError = PermanentError | PostponeError | UnavailableError;

interface Trouble {
  /** How many mails the server had taken when it last refused this one. */
  readonly accepted: number;
  /** How often it has refused this one after it had taken others. */
  readonly refused: number;
  readonly brokenOff: number;
}

/** Attempts at a message that may end without an answer before it is put off. */
const mostBrokenOff = 3;
/** Refusals of a message, each after others got through, before it is given up. */
const mostRefused = 2;
/** Messages in trouble that are remembered; of the others it is forgotten that they had any, which only takes longer. */
const mostRemembered = 10_000;

export class SmtpJudge {
  #accepted = 0;
  readonly #troubles = new Map<string, Trouble>();

  /** `isUsable` says whether the server takes a connection and a login at the moment. */
  constructor(private readonly isUsable: () => Promise<boolean>) {}

  /** The server has taken a mail. */
  accepted(eventId: string): void {
    this.#accepted += 1;
    this.#troubles.delete(eventId);
  }

  /** What the handler is to throw. */
  async judge(eventId: string, { fault, answer }: SmtpVerdict): Promise<SmtpError> {
    const known = this.#troubles.get(eventId) ?? { accepted: this.#accepted, refused: 0, brokenOff: 0 };
    const othersGotThrough = this.#accepted > known.accepted;
    const refused = known.refused + (othersGotThrough ? 1 : 0);
    const now = { ...known, accepted: this.#accepted, refused };
    switch (fault) {
      case 'message':
        return this.#refused(eventId, answer);
      case 'later':
        return new PostponeError(`the mail server put the message off (${answer})`);
      case 'unclear':
        if (refused >= mostRefused) return this.#refused(eventId, answer);
        this.#remember(eventId, now);
        return new PostponeError(`the mail server refused the message and perhaps everybody's (${answer})`);
      case 'sender':
        this.#remember(eventId, now);
        if (refused > 0) return new PostponeError(`the mail server refused only this message (${answer})`);
        return new UnavailableError(`the mail server cannot be used (${answer})`);
      case 'connection':
        return this.#brokenOff(eventId, known, answer);
    }
  }

  async #brokenOff(eventId: string, known: Trouble, answer: string): Promise<SmtpError> {
    const brokenOff = known.brokenOff + 1;
    this.#remember(eventId, { ...known, brokenOff });
    if (brokenOff >= mostBrokenOff && (await this.isUsable()))
      return new PostponeError(`the mail server breaks off at this message (${answer})`);
    return new UnavailableError(`the mail server cannot be used (${answer})`);
  }

  #refused(eventId: string, answer: string): PermanentError {
    this.#troubles.delete(eventId);
    return new PermanentError(`the mail server refused the message (${answer})`);
  }

  #remember(eventId: string, trouble: Trouble): void {
    this.#troubles.delete(eventId);
    this.#troubles.set(eventId, trouble);
    const [oldest] = this.#troubles.keys();
    if (this.#troubles.size > mostRemembered && oldest !== undefined) this.#troubles.delete(oldest);
  }
}
