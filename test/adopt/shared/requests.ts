import type { Expected } from './program';

/** Requests at the same time, each of another user and one of nobody, and the events that they mean. */
export async function postUsers(url: string, framework: string): Promise<Expected[]> {
  const users = [1, 2, 3, 4, 5].map((nr) => `${framework}-${nr}`);
  const anonymous = `${framework}-anonymous`;
  return Promise.all(
    [...users, anonymous].map(async (user) => {
      const actor = user === anonymous ? undefined : user;
      const correlationId = `request-of-${user}`;
      const answer = await fetch(`${url}/users`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'x-correlation-id': correlationId,
          ...(actor === undefined ? {} : { 'x-user': actor }),
        },
        body: JSON.stringify({ email: `${user}@example.com` }),
      });
      if (!answer.ok) throw new Error(`${framework} answered ${answer.status}: ${await answer.text()}`);
      const { id } = (await answer.json()) as { id: string };
      return { type: 'user.created', id, correlationId, ...(actor === undefined ? {} : { actor }) };
    }),
  );
}
