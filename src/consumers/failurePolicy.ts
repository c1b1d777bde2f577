import { backoffMs } from '../shared/backoff';
import { infrastructureReason, isDatabaseAway } from './databaseErrors';
import { PermanentError, PostponeError, TransientError, UnavailableError } from './errors';

/**
 * Why a message was not processed.
 * - `invalid`: it cannot be decoded or validated.
 * - `permanent`: its handler says that trying again is no use.
 * - `failed`: its handler failed and may succeed later.
 * - `later`: its handler asks to be called again at another time.
 * - `own`: our own trouble, the database's mostly, or that of something else that every message needs; the message has
 *   nothing to do with it.
 */
export interface Failure {
  readonly kind: 'invalid' | 'permanent' | 'failed' | 'later' | 'own';
  readonly errorClass: string;
  /** Published in a header and logged: no value out of the message is in it. */
  readonly reason: string;
  /** With `later`: in how many milliseconds; undefined leaves it to the policy. */
  readonly afterMs?: number;
}

/** How long a message has been failing. */
export interface History {
  /** Attempts that count, this one included. */
  readonly attempts: number;
  /** Attempts in a row that came to nothing through our own trouble, this one included. */
  readonly outages: number;
  /** How often it has been postponed before; never where that is not said. */
  readonly postponements?: number;
  /** Milliseconds since its first attempt; 0 where that is not said. */
  readonly triedForMs?: number;
}

export interface RetryPolicy {
  /** Retries before a failing message becomes a dead letter. */
  readonly retryLimit: number;
  /** Longest pause between two attempts, in milliseconds. */
  readonly retryMaxMs: number;
  /** How long an event may be postponed, in milliseconds from its first attempt; a day where that is not said. */
  readonly patienceMs?: number;
}

export type Decision =
  { readonly action: 'retry' | 'postpone'; readonly afterMs: number } | { readonly action: 'dead-letter' };

const firstRetryMs = 100;
const postponements = { initialMs: 60_000, maxMs: 3_600_000 };
const defaultPatienceMs = 24 * 3_600_000;

/**
 * What happens to a message that failed. Our own trouble is waited out for as long as it takes. A postponed event is
 * tried a last time when the consumer's patience ends.
 */
export function decide(
  failure: Failure,
  { attempts, outages, postponements: times = 0, triedForMs = 0 }: History,
  { retryLimit, retryMaxMs, patienceMs = defaultPatienceMs }: RetryPolicy,
  random?: () => number,
): Decision {
  const pauses = { initialMs: firstRetryMs, maxMs: retryMaxMs };
  switch (failure.kind) {
    case 'invalid':
    case 'permanent':
      return { action: 'dead-letter' };
    case 'own':
      return { action: 'retry', afterMs: backoffMs(outages, pauses, random) };
    case 'later': {
      if (triedForMs >= patienceMs) return { action: 'dead-letter' };
      const afterMs = failure.afterMs ?? backoffMs(times + 1, postponements, random);
      return { action: 'postpone', afterMs: Math.min(afterMs, patienceMs - triedForMs) };
    }
    case 'failed':
      if (attempts > retryLimit) return { action: 'dead-letter' };
      return { action: 'retry', afterMs: backoffMs(attempts, pauses, random) };
  }
}

/** What a consumer makes of errors of its own: one of the classes in errors.ts; undefined leaves it to the runner. */
export type ClassifyError = (
  error: unknown,
) => PermanentError | TransientError | UnavailableError | PostponeError | undefined;

/**
 * Classifies what a handler, or the commit after it, threw. `data` is the event's, whose values a reason must not show.
 */
export function classifyFailure(thrown: unknown, data: unknown, classify?: ClassifyError): Failure {
  const error = classify ? translated(thrown, classify) : thrown;
  const errorClass = classOf(error);
  if (isDatabaseAway(error)) return { kind: 'own', errorClass, reason: infrastructureReason(error) };
  if (error instanceof UnavailableError) {
    return { kind: 'own', errorClass, reason: withoutValues(error.message, data) };
  }
  if (error instanceof PostponeError) {
    const { afterMs, message } = error;
    const later = { kind: 'later', errorClass, reason: withoutValues(message, data) } as const;
    return afterMs === undefined ? later : { ...later, afterMs };
  }
  if (error instanceof PermanentError || error instanceof TransientError) {
    const kind = error instanceof PermanentError ? 'permanent' : 'failed';
    return { kind, errorClass, reason: withoutValues(error.message, data) };
  }
  return { kind: 'failed', errorClass, reason: `the handler failed${codeOf(error)}` };
}

function translated(error: unknown, classify: ClassifyError): unknown {
  try {
    return classify(error) ?? error;
  } catch {
    return new TransientError('the handler failed, and so did the classification of its error');
  }
}

/** A class name and nothing else: `name` is a property that anybody may fill with anything. */
export function classOf(error: unknown): string {
  if (!(error instanceof Error)) return 'NotAnError';
  return /^[A-Za-z_$][\w$.]{0,79}$/.test(error.name) ? error.name : 'Error';
}

/** Codes of Prisma, Postgres and Node are words of theirs: no values. */
function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && /^(P\d{4}|[0-9A-Z]{5}|E[A-Z_]{3,30})$/.test(code) ? ` (${code})` : '';
}

const longestReason = 500;

/** The second line of defence: whoever throws should not have quoted a value in the first place. */
function withoutValues(reason: string, data: unknown): string {
  const hidden = valuesIn(data)
    .filter((value) => value.length > 2 && !/^[0-9a-f-]{36}$/i.test(value))
    .sort((a, b) => b.length - a.length)
    .reduce((text, value) => text.replaceAll(value, '[hidden]'), reason);
  return hidden.replaceAll(/\p{Cc}+/gu, ' ').slice(0, longestReason);
}

function valuesIn(data: unknown): string[] {
  if (typeof data === 'string' || typeof data === 'number') return [String(data)];
  if (typeof data !== 'object' || data === null) return [];
  return Object.values(data).flatMap(valuesIn);
}
