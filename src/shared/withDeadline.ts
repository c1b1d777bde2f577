/** A call got no answer in time; whether it took effect is not known. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';
}

/**
 * Settles as the promise does, or rejects with NoAnswerError after so many milliseconds. The work itself goes on:
 * this is for calls over connections that a network may have cut without telling.
 */
export async function withDeadline<T>(promise: Promise<T>, deadlineMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new NoAnswerError(`no answer within ${deadlineMs} ms`)), deadlineMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
