import { Registry } from 'prom-client';
import { Admission, observeAdmission } from '../../../src/api/http/admission';
import { CommitGate, runBehindGate } from '../../../src/shared/commitGate';

interface Work {
  readonly begun: () => boolean;
  readonly end: () => void;
  readonly done: Promise<string>;
}

/** Work of a group that goes on until it is ended. */
function begin(admission: Admission, group: string, gate = new CommitGate()): Work {
  let begun = false;
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const done = runBehindGate(gate, () =>
    admission.run(group, async () => {
      begun = true;
      await ended;
      return 'done';
    }),
  ).catch((error: unknown) => (error as { problem: { type: string } }).problem.type);
  return { begun: () => begun, end, done };
}

const turn = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const limits = { poolSize: 11, waitingRequests: 2, waitMs: 60_000 };
const refused = 'urn:healthcore:problem:overloaded';

it('leaves one connection to the readiness check, and a fifth of the others to other groups', async () => {
  const admission = new Admission(limits);
  const patients = Array.from({ length: 9 }, () => begin(admission, 'patients'));
  const appointments = Array.from({ length: 3 }, () => begin(admission, 'appointments'));
  await turn();
  expect(patients.filter(({ begun }) => begun())).toHaveLength(8);
  expect(appointments.filter(({ begun }) => begun())).toHaveLength(2);
  expect(admission.waiting).toBe(2);
  for (const { end } of [...patients, ...appointments]) end();
  expect(await Promise.all([...patients, ...appointments].map(({ done }) => done))).toEqual(
    Array.from({ length: 12 }, () => 'done'),
  );
  expect(admission.waiting).toBe(0);
});

it('serves those that wait in the order in which they came, and nobody overtakes them', async () => {
  const admission = new Admission({ ...limits, poolSize: 1 });
  const first = begin(admission, 'a');
  const second = begin(admission, 'b');
  await turn();
  const third = begin(admission, 'a');
  await turn();
  first.end();
  await first.done;
  await turn();
  expect([second.begun(), third.begun()]).toEqual([true, false]);
  const fourth = begin(admission, 'b');
  second.end();
  await turn();
  expect([third.begun(), fourth.begun()]).toEqual([true, false]);
  third.end();
  await turn();
  expect(fourth.begun()).toBe(true);
  fourth.end();
  expect(await fourth.done).toBe('done');
});

it('refuses at once what no longer finds a place in the queue', async () => {
  const admission = new Admission({ ...limits, poolSize: 1 });
  const works = Array.from({ length: 4 }, () => begin(admission, 'a'));
  expect(await works[3]?.done).toBe(refused);
  expect(admission.waiting).toBe(2);
  for (const { end } of works) end();
  expect(await Promise.all(works.map(({ done }) => done))).toEqual(['done', 'done', 'done', refused]);
});

it('refuses what has waited as long as it may, without beginning it', async () => {
  const admission = new Admission({ ...limits, poolSize: 1, waitMs: 20 });
  const first = begin(admission, 'a');
  const second = begin(admission, 'a');
  expect(await second.done).toBe(refused);
  expect(admission.waiting).toBe(0);
  first.end();
  await first.done;
  expect(second.begun()).toBe(false);
  const third = begin(admission, 'a');
  third.end();
  expect(await third.done).toBe('done');
});

it('drops what was given up while it waited, and lets the next one begin', async () => {
  const admission = new Admission({ ...limits, poolSize: 1 });
  const [first, gate] = [begin(admission, 'a'), new CommitGate()];
  const second = begin(admission, 'a', gate);
  const third = begin(admission, 'a');
  await turn();
  gate.close();
  expect(await second.done).toBe(refused);
  first.end();
  await turn();
  expect([second.begun(), third.begun()]).toEqual([false, true]);
  third.end();
  expect(await third.done).toBe('done');
});

it('gives the place back when the work fails', async () => {
  const admission = new Admission({ ...limits, poolSize: 1 });
  const service = admission.guard('a', { fail: async () => Promise.reject(new Error('no')), name: 'x' });
  await expect(service.fail()).rejects.toThrow('no');
  await expect(service.fail()).rejects.toThrow('no');
  expect(service.name).toBe('x');
});

it('counts what it refuses by reason, each from 0 on, and shows how many are at work', async () => {
  const registry = new Registry();
  const admission = new Admission({ poolSize: 1, waitingRequests: 1, waitMs: 20 });
  observeAdmission(admission, registry);
  const refusals = async (): Promise<string[]> =>
    (await registry.metrics()).split('\n').filter((line) => line.startsWith('http_requests_refused_total'));
  expect(await refusals()).toEqual(
    ['too_many', 'too_long', 'client_left'].map(
      (reason) => `http_requests_refused_total{reason="${reason}"} 0`,
    ),
  );
  const first = begin(admission, 'a');
  const tooLong = begin(admission, 'a');
  // In the same turn: the one before must still be waiting, however slow this machine is.
  const tooMany = begin(admission, 'a');
  expect(await registry.metrics()).toContain('http_requests_at_work 1');
  expect(await Promise.all([tooLong.done, tooMany.done])).toEqual([refused, refused]);
  expect((await refusals()).slice(0, 2)).toEqual([
    'http_requests_refused_total{reason="too_many"} 1',
    'http_requests_refused_total{reason="too_long"} 1',
  ]);
  first.end();
  await first.done;
  expect(await registry.metrics()).toContain('http_requests_at_work 0');
});
