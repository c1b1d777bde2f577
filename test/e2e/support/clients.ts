/** Clients of the API that write without a pause, each its own patient and appointment, and note every answer. */

export interface Answers {
  /** Requests that got an HTTP answer, by status. */
  readonly byStatus: Map<number, number>;
  /** Requests that got none. */
  unanswered: number;
  /** The longest that a request took, in milliseconds. */
  slowestMs: number;
}

/** Runs `count` clients until `signal` is aborted. */
export async function runClients(apiUrl: string, count: number, signal: AbortSignal): Promise<Answers> {
  const answers: Answers = { byStatus: new Map(), unanswered: 0, slowestMs: 0 };
  await Promise.all(Array.from({ length: count }, (_, number) => runClient(apiUrl, number, answers, signal)));
  return answers;
}

async function runClient(
  apiUrl: string,
  number: number,
  answers: Answers,
  signal: AbortSignal,
): Promise<void> {
  const send = sender(apiUrl, answers);
  for (let round = 0; !signal.aborted; round += 1) {
    const unique = `client-${number}-${round}`;
    const patient = await send('POST', '/patients/', { name: unique, email: `${unique}@example.com` });
    if (!patient) continue;
    for (let change = 0; change < 4; change += 1)
      await send('PATCH', `/patients/${patient.id}`, { name: `${unique}-${change}` });
    const hour = (offset: number): string => new Date(Date.UTC(2030, 0, 1, round * 4 + offset)).toISOString();
    const booking = {
      patient_id: patient.id,
      practitioner: `dr-${number}`,
      starts_at: hour(0),
      ends_at: hour(1),
    };
    const appointment = await send('POST', '/appointments', booking);
    if (!appointment) continue;
    await send('PATCH', `/appointments/${appointment.id}`, { starts_at: hour(1), ends_at: hour(2) });
    await send('POST', `/appointments/${appointment.id}/${round % 2 === 0 ? 'cancel' : 'complete'}`);
  }
}

function sender(apiUrl: string, answers: Answers) {
  return async (method: string, path: string, body?: unknown): Promise<{ id: string } | undefined> => {
    const started = performance.now();
    try {
      const response = await fetch(`${apiUrl}/api/v1${path}`, {
        method,
        headers: { 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      answers.byStatus.set(response.status, (answers.byStatus.get(response.status) ?? 0) + 1);
      const answer = (await response.json()) as { id: string };
      return response.ok ? answer : undefined;
    } catch {
      answers.unanswered += 1;
      return undefined;
    } finally {
      answers.slowestMs = Math.max(answers.slowestMs, performance.now() - started);
    }
  };
}
