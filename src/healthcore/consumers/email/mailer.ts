import type { Logger } from 'signalbox/service';

export interface Mail {
  /** The event that asks for it: the same in every attempt, and so is what is made of it. */
  readonly eventId: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly template?: string | undefined;
}

/** Hands mail over to whoever delivers it. */
export interface Mailer {
  /**
   * Resolves when it has been taken over.
   * @throws PermanentError, PostponeError or UnavailableError; no value of the mail is in their messages.
   */
  send(mail: Mail, logger: Logger): Promise<void>;
  /** Ends what it holds open. May be called again. */
  close(): Promise<void>;
}
