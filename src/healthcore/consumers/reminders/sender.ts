/*
 * Sends reminders when they are due: a consumer that is a producer too.
 *
 * "Sent" is an `email.send` command in the outbox, appended in the transaction that marks the reminder, so the two
 * happen together or not at all, and once: with any number of senders, through crashes, and when a COMMIT's answer is
 * lost (the next round sees what became of it). An appointment that is moved after its reminder gets another one for
 * its new time. Whoever cancels in the moment in which the reminder is due may still get it: what counts is the
 * cancellation's arrival here, not the click.
 */
import type { CapturedTransaction } from '../../capturedClient';
import { withContext } from 'signalbox';
import { type Logger, PollLoop } from 'signalbox/service';
import { reminderMessage } from './message';
import { takeDue } from './takeDue';

/** What is needed of a captured Prisma client. */
export interface SenderDatabase {
  $transaction<R>(
    work: (tx: CapturedTransaction) => Promise<R>,
    options?: { timeout?: number; isolationLevel?: 'ReadCommitted' },
  ): Promise<R>;
}

export interface SenderOptions {
  readonly database: SenderDatabase;
  /** How long before an appointment its reminder is sent. */
  readonly leadMinutes: number;
  /** The time zone in which patients are told the time, by its IANA name. */
  readonly timeZone: string;
  /** Most reminders of one transaction. */
  readonly limit?: number;
}

const transactionTimeoutMs = 60_000;

/** One round: sends reminders that are due, at most `limit`, and gives how many. */
export async function sendDueReminders({
  database,
  leadMinutes,
  timeZone,
  limit = 50,
}: SenderOptions): Promise<number> {
  return database.$transaction(
    async (tx) => {
      const due = await takeDue(tx, { leadMinutes, limit });
      for (const { appointmentId, startsAt, email, eventId, correlationId } of due) {
        const data = reminderMessage(email, startsAt, timeZone);
        const context = { causationId: eventId ?? undefined, correlationId: correlationId ?? undefined };
        await withContext(context, () => tx.$append('email.send', { aggregateId: appointmentId, data }));
      }
      return due.length;
    },
    { timeout: transactionTimeoutMs, isolationLevel: 'ReadCommitted' },
  );
}

/** The round again and again. While the database is away it tries with growing pauses, without limit. */
export function createReminderSender(
  options: SenderOptions & { logger: Logger; onSent: (reminders: number) => void; intervalMs?: number },
): PollLoop {
  const { logger, onSent, intervalMs = 5_000, limit = 50 } = options;
  return new PollLoop({
    name: 'reminder sender',
    intervalMs,
    backoff: { initialMs: 500, maxMs: 30_000 },
    run: async () => {
      const sent = await sendDueReminders({ ...options, limit });
      if (sent > 0) {
        onSent(sent);
        logger.info({ reminders: sent }, 'reminders sent');
      }
      return sent === limit;
    },
    onError: (error, attempt, pauseMs) =>
      logger.warn({ err: error, attempt, pauseMs }, 'due reminders could not be sent; trying again'),
  });
}
