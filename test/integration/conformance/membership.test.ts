/** The group protocol, one request at a time: what kafkajs relies on without showing it. */
import { createTopics, uniqueName } from '../../support/kafka';
import { waitFor } from '../../support/waitFor';
import { commit, heartbeat, join, type Joined, leave, outsider, sync } from './support/membership';
import { closeRawClients, connectRaw, type RawClient } from './support/rawClient';
import { errors } from './support/requests';

let group: string;
let first: RawClient;
let second: RawClient;
beforeEach(async () => {
  group = uniqueName('membership');
  [first, second] = await Promise.all([connectRaw(), connectRaw()]);
});
afterEach(closeRawClients);

const until = (client: RawClient, member: Joined, error: number) =>
  waitFor(async () => (await heartbeat(client, group, member)) === error, { what: `error ${error}` });

/** A group of one, in which everything has been said. */
async function stableAlone(options: { sessionTimeoutMs?: number } = {}): Promise<Joined> {
  const member = await join(first, { group, ...options });
  await sync(first, group, member, { [member.memberId]: 'everything' });
  return member;
}

/** Both members in one generation; the first is the leader. Nobody has synced yet. */
async function bothJoined(): Promise<{ leader: Joined; follower: Joined }> {
  const alone = await stableAlone();
  const joining = join(second, { group });
  await until(first, alone, errors.REBALANCE_IN_PROGRESS);
  const leader = await join(first, { group, memberId: alone.memberId });
  return { leader, follower: await joining };
}

describe('joining', () => {
  it('makes the first member the leader, who learns of all members', async () => {
    const member = await join(first, { group });
    expect(member).toMatchObject({ error: errors.NONE, protocol: 'range', leader: member.memberId });
    expect(member.memberId).not.toBe('');
    expect(member.generation).toBeGreaterThan(0);
    expect(member.members).toEqual([{ id: member.memberId, metadata: 'metadata' }]);
  });

  it('of a second member starts a new generation, of which only the leader learns the members', async () => {
    const { leader, follower } = await bothJoined();
    expect(leader).toMatchObject({ error: errors.NONE, leader: leader.memberId });
    expect(leader.members.map(({ id }) => id).sort()).toEqual([leader.memberId, follower.memberId].sort());
    expect(follower).toMatchObject({
      error: errors.NONE,
      generation: leader.generation,
      leader: leader.memberId,
      members: [],
    });
  });

  it('picks a protocol that everybody knows', async () => {
    const alone = await join(first, { group, protocols: { sticky: '', range: '' } });
    expect(alone.protocol).toBe('sticky');
    await sync(first, group, alone, {});
    const joining = join(second, { group, protocols: { other: '', range: '' } });
    await until(first, alone, errors.REBALANCE_IN_PROGRESS);
    const again = await join(first, {
      group,
      memberId: alone.memberId,
      protocols: { sticky: '', range: '' },
    });
    expect([again.protocol, (await joining).protocol]).toEqual(['range', 'range']);
  });

  it('is refused without a common protocol, or with another kind of client', async () => {
    await stableAlone();
    const error = errors.INCONSISTENT_GROUP_PROTOCOL;
    expect(await join(second, { group, protocols: { other: '' } })).toMatchObject({ error });
    expect(await join(second, { group, protocolType: 'connect' })).toMatchObject({ error });
    expect(await join(second, { group, protocols: {} })).toMatchObject({ error });
  });

  it.each([
    ['a member that is unknown', { memberId: 'nobody' }, errors.UNKNOWN_MEMBER_ID],
    ['a session that is too short', { sessionTimeoutMs: 10 }, errors.INVALID_SESSION_TIMEOUT],
    ['a session that is too long', { sessionTimeoutMs: 86_400_000 }, errors.INVALID_SESSION_TIMEOUT],
    ['a group without a name', { group: '' }, errors.INVALID_GROUP_ID],
  ])('is refused for %s', async (_, options, error) => {
    expect(await join(first, { group, ...options })).toMatchObject({ error });
  });

  it('again by a follower with nothing new changes nothing', async () => {
    const { leader, follower } = await bothJoined();
    await sync(first, group, leader, {});
    await sync(second, group, follower);
    const again = await join(second, { group, memberId: follower.memberId });
    expect(again).toMatchObject({ error: errors.NONE, generation: leader.generation });
    expect(await heartbeat(first, group, leader)).toBe(errors.NONE);
  });

  it('again by the leader starts a new generation', async () => {
    const alone = await stableAlone();
    const again = await join(first, { group, memberId: alone.memberId });
    expect(again).toMatchObject({ error: errors.NONE, generation: alone.generation + 1 });
  });
});

describe('syncing', () => {
  it('hands each member what the leader gave it', async () => {
    const { leader, follower } = await bothJoined();
    const waiting = sync(second, group, follower);
    const shares = { [leader.memberId]: 'mine', [follower.memberId]: 'yours' };
    expect(await sync(first, group, leader, shares)).toEqual({ error: errors.NONE, assignment: 'mine' });
    expect(await waiting).toEqual({ error: errors.NONE, assignment: 'yours' });
  });

  it('late, or twice, gives the same answer', async () => {
    const { leader, follower } = await bothJoined();
    await sync(first, group, leader, { [follower.memberId]: 'yours' });
    const yours = { error: errors.NONE, assignment: 'yours' };
    expect(await sync(second, group, follower)).toEqual(yours);
    expect(await sync(second, group, follower)).toEqual(yours);
  });

  it('is refused to strangers, in an old generation, and while members are joining', async () => {
    const alone = await stableAlone();
    const refusal = (error: number) => ({ error, assignment: '' });
    expect(await sync(first, group, { ...alone, memberId: 'nobody' })).toEqual(
      refusal(errors.UNKNOWN_MEMBER_ID),
    );
    expect(await sync(first, group, { ...alone, generation: alone.generation - 1 })).toEqual(
      refusal(errors.ILLEGAL_GENERATION),
    );
    const joining = join(second, { group });
    await until(first, alone, errors.REBALANCE_IN_PROGRESS);
    expect(await sync(first, group, alone)).toEqual(refusal(errors.REBALANCE_IN_PROGRESS));
    await leave(first, group, alone.memberId);
    expect(await joining).toMatchObject({ error: errors.NONE });
  });

  it('ends with REBALANCE_IN_PROGRESS when somebody joins before the leader has spoken', async () => {
    const { leader, follower } = await bothJoined();
    const waiting = sync(second, group, follower);
    const third = await connectRaw();
    const joining = join(third, { group });
    expect(await waiting).toEqual({ error: errors.REBALANCE_IN_PROGRESS, assignment: '' });
    const joins = [
      join(first, { group, memberId: leader.memberId }),
      join(second, { group, memberId: follower.memberId }),
      joining,
    ];
    const generations = (await Promise.all(joins)).map(({ error, generation }) => [error, generation]);
    const next = [errors.NONE, leader.generation + 1];
    expect(generations).toEqual([next, next, next]);
  });
});

describe('heartbeats', () => {
  it('are answered by what goes on in the group', async () => {
    const alone = await join(first, { group });
    expect(await heartbeat(first, group, alone)).toBe(errors.NONE);
    await sync(first, group, alone, {});
    expect(await heartbeat(first, group, alone)).toBe(errors.NONE);
    expect(await heartbeat(first, group, { ...alone, generation: 99 })).toBe(errors.ILLEGAL_GENERATION);
    expect(await heartbeat(first, group, { ...alone, memberId: 'nobody' })).toBe(errors.UNKNOWN_MEMBER_ID);
    expect(await heartbeat(first, uniqueName('unknown'), alone)).toBe(errors.UNKNOWN_MEMBER_ID);
  });

  it('that stop for longer than the session end the membership, and the others are called to join', async () => {
    const { leader, follower } = await bothJoined();
    await sync(first, group, leader, {});
    await sync(second, group, follower);
    const third = await connectRaw();
    // A third member with a short session joins, is taken in, and falls silent.
    const joining = join(third, { group, sessionTimeoutMs: 6_000 });
    await until(first, leader, errors.REBALANCE_IN_PROGRESS);
    const [again, followerAgain] = await Promise.all([
      join(first, { group, memberId: leader.memberId }),
      join(second, { group, memberId: follower.memberId }),
    ]);
    const silent = await joining;
    await sync(first, group, again, {});
    await sync(third, group, silent);
    await until(second, followerAgain, errors.REBALANCE_IN_PROGRESS);
    expect(await heartbeat(third, group, silent)).toBe(errors.UNKNOWN_MEMBER_ID);
  });
});

describe('leaving', () => {
  it('calls the others to join at once', async () => {
    const { leader, follower } = await bothJoined();
    await sync(first, group, leader, {});
    await sync(second, group, follower);
    expect(await leave(second, group, follower.memberId)).toBe(errors.NONE);
    expect(await heartbeat(first, group, leader)).toBe(errors.REBALANCE_IN_PROGRESS);
    const again = await join(first, { group, memberId: leader.memberId });
    expect(again).toMatchObject({ error: errors.NONE, generation: leader.generation + 1 });
    expect(again.members).toHaveLength(1);
  });

  it('of the leader makes another member the leader', async () => {
    const { leader, follower } = await bothJoined();
    await sync(first, group, leader, {});
    await leave(first, group, leader.memberId);
    const again = await join(second, { group, memberId: follower.memberId });
    expect(again).toMatchObject({ error: errors.NONE, leader: follower.memberId });
  });

  it('twice, or from where one never was, is refused', async () => {
    const alone = await stableAlone();
    expect(await leave(first, group, alone.memberId)).toBe(errors.NONE);
    expect(await leave(first, group, alone.memberId)).toBe(errors.UNKNOWN_MEMBER_ID);
    expect(await heartbeat(first, group, alone)).toBe(errors.UNKNOWN_MEMBER_ID);
  });
});

it('leaves those behind who do not join again in time', async () => {
  const alone = await join(first, { group, rebalanceTimeoutMs: 1_000 });
  await sync(first, group, alone, {});
  const other = await join(second, { group, rebalanceTimeoutMs: 1_000 });
  expect(other).toMatchObject({
    error: errors.NONE,
    generation: alone.generation + 1,
    leader: other.memberId,
  });
  expect(await heartbeat(first, group, alone)).toBe(errors.UNKNOWN_MEMBER_ID);
});

describe('committing', () => {
  let topic: string;
  beforeEach(async () => {
    topic = uniqueName('membership');
    await createTopics({ topic });
  });
  const offsets = () => [{ topic, partition: 0, offset: 5 }];

  it('is allowed to members of the present generation', async () => {
    const alone = await stableAlone();
    expect(await commit(first, group, alone, offsets())).toEqual([errors.NONE]);
    expect(await commit(first, group, { ...alone, generation: 99 }, offsets())).toEqual([
      errors.ILLEGAL_GENERATION,
    ]);
    expect(await commit(first, group, { ...alone, memberId: 'nobody' }, offsets())).toEqual([
      errors.UNKNOWN_MEMBER_ID,
    ]);
  });

  it('is allowed to outsiders only while there are no members', async () => {
    expect(await commit(first, group, outsider, offsets())).toEqual([errors.NONE]);
    const alone = await stableAlone();
    expect(await commit(second, group, outsider, offsets())).toEqual([errors.UNKNOWN_MEMBER_ID]);
    await leave(first, group, alone.memberId);
    expect(await commit(second, group, outsider, offsets())).toEqual([errors.NONE]);
  });

  it('is refused to a member of a group that does not exist', async () => {
    const member = { memberId: 'somebody', generation: 1 };
    expect(await commit(first, group, member, offsets())).toEqual([errors.ILLEGAL_GENERATION]);
  });

  it('is still possible while members are called to join, but not before they know their shares', async () => {
    const alone = await stableAlone();
    const joining = join(second, { group });
    await until(first, alone, errors.REBALANCE_IN_PROGRESS);
    expect(await commit(first, group, alone, offsets())).toEqual([errors.NONE]);
    const again = await join(first, { group, memberId: alone.memberId });
    await joining;
    expect(await commit(first, group, again, offsets())).toEqual([errors.REBALANCE_IN_PROGRESS]);
  });

  it('is refused for unknown partitions and for too much metadata, partition by partition', async () => {
    const missing = uniqueName('missing');
    const refused = await commit(first, group, outsider, [
      { topic, partition: 0, offset: 1, metadata: 'x'.repeat(4_096) },
      { topic: missing, partition: 0, offset: 1 },
    ]);
    expect(refused).toHaveLength(2);
    expect(new Set(refused)).toEqual(new Set([errors.NONE, errors.UNKNOWN_TOPIC_OR_PARTITION]));
    const tooLong = [{ topic, partition: 0, offset: 2, metadata: 'x'.repeat(4_097) }];
    expect(await commit(first, group, outsider, tooLong)).toEqual([errors.OFFSET_METADATA_TOO_LARGE]);
  });
});
