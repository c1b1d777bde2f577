import { Group } from '../../../dev/broker/groups/group';
import type { JoinRequest } from '../../../dev/broker/groups/member';
import { selectProtocol } from '../../../dev/broker/groups/selectProtocol';
import { stateRules } from '../../../dev/broker/groups/states';

let group: Group;
beforeEach(() => jest.useFakeTimers());
afterEach(() => {
  group.dispose();
  jest.useRealTimers();
});

const request = (overrides: Partial<JoinRequest> = {}): JoinRequest => ({
  memberId: '',
  clientId: 'client',
  clientHost: '/127.0.0.1',
  sessionTimeoutMs: 6_000,
  rebalanceTimeoutMs: 10_000,
  protocolType: 'consumer',
  protocols: [{ name: 'range', metadata: Buffer.from('metadata') }],
  ...overrides,
});
const staying = new AbortController().signal;

it('waits a moment for members that start together, so that they come into one generation', async () => {
  group = new Group(50);
  const joins = [group.join(request(), staying), group.join(request(), staying)];
  jest.advanceTimersByTime(40);
  joins.push(group.join(request(), staying));
  jest.advanceTimersByTime(20);
  const answers = await Promise.all(joins);
  expect(answers.map(({ generation }) => generation)).toEqual([1, 1, 1]);
  expect(answers.flatMap(({ members }) => members)).toHaveLength(3);
});

it('does not wait for a new member whose connection broke while it was joining', async () => {
  group = new Group(50);
  const connection = new AbortController();
  const broken = group.join(request(), connection.signal);
  const other = group.join(request(), staying);
  connection.abort();
  jest.advanceTimersByTime(60);
  expect((await other).members).toHaveLength(1);
  await broken;
});

it('is empty again when the only member breaks off while joining', async () => {
  group = new Group(50);
  const connection = new AbortController();
  const broken = group.join(request(), connection.signal);
  connection.abort();
  await broken;
  expect(group.state).toBe('Empty');
  const next = group.join(request(), staying);
  jest.advanceTimersByTime(60);
  expect(await next).toMatchObject({ error: 0 });
});

it('forgets a member that is silent, but not one that waits for an answer', async () => {
  group = new Group(0);
  const joining = group.join(request(), staying);
  jest.advanceTimersByTime(1);
  const leader = await joining;
  const late = group.join(request({ rebalanceTimeoutMs: 60_000 }), staying);
  jest.advanceTimersByTime(5_900);
  expect(group.heartbeat(leader.memberId, leader.generation)).toBe(27);
  jest.advanceTimersByTime(6_100);
  // The leader was silent for longer than its session; the late one has been waiting for 12 s.
  expect(await late).toMatchObject({ error: 0, generation: 2 });
  expect(group.list()).toHaveLength(1);
});

it('never leaves the table of legal moves: from each state every way leads back to Empty', () => {
  group = new Group(0);
  const reachable = new Set(['Empty']);
  for (let round = 0; round < 4; round += 1) {
    for (const [state, { next }] of Object.entries(stateRules)) {
      if (next.some((to) => reachable.has(to))) reachable.add(state);
    }
  }
  expect([...reachable].sort()).toEqual(Object.keys(stateRules).sort());
});

it('prefers the protocol that most members prefer, among those that all know', () => {
  group = new Group(0);
  const member = (...names: string[]) => ({
    protocols: names.map((name) => ({ name, metadata: Buffer.alloc(0) })),
  });
  expect(selectProtocol([member('a', 'b'), member('b', 'a'), member('b', 'a')])).toBe('b');
  expect(selectProtocol([member('a', 'b'), member('c', 'b')])).toBe('b');
  expect(selectProtocol([member('a'), member('b')])).toBe('');
});
