import type { GroupPosition } from '../../../src/kafka/groups/groupStates';
import { moveOf, parseChoices, targetOf } from '../../../src/ops/groups/resetPlan';
import { catalogue } from '../../../src/healthcore/catalogue';

const position = (fields: Partial<GroupPosition> = {}): GroupPosition => ({
  topic: 'healthcore.patient.created',
  partition: 0,
  committed: 50n,
  low: 10n,
  high: 90n,
  lag: 40n,
  ...fields,
});

describe('where a reset puts a partition', () => {
  it.each([
    [{ kind: 'earliest' }, undefined, { to: 10n, again: 40n, skipped: 0n }],
    [{ kind: 'latest' }, undefined, { to: 90n, again: 0n, skipped: 40n }],
    [{ kind: 'offset', offset: 70n }, undefined, { to: 70n, again: 0n, skipped: 20n }],
    [{ kind: 'offset', offset: 3n }, undefined, { to: 10n, again: 40n, skipped: 0n }],
    [{ kind: 'offset', offset: 99n }, undefined, { to: 90n, again: 0n, skipped: 40n }],
    [{ kind: 'time', ms: 1 }, 30n, { to: 30n, again: 20n, skipped: 0n }],
    [{ kind: 'time', ms: 1 }, undefined, { to: 90n, again: 0n, skipped: 40n }],
  ] as const)('%j', (target, atTime, expected) => {
    expect(moveOf(position(), target, atTime)).toMatchObject({ from: 50n, ...expected });
  });

  it('counts nothing as read again of what has expired or was never read', () => {
    expect(moveOf(position({ committed: 5n }), { kind: 'earliest' }, undefined)).toMatchObject({
      to: 10n,
      again: 0n,
    });
    expect(moveOf(position({ committed: null }), { kind: 'latest' }, undefined)).toMatchObject({
      from: null,
      to: 90n,
      skipped: 80n,
    });
  });
});

it('reads topics with and without partitions, by event type or name', () => {
  expect(parseChoices(catalogue, ['patient.created:0,2', 'other.topic'], 'healthcore')).toEqual([
    { topic: 'healthcore.patient.created', partitions: [0, 2] },
    { topic: 'other.topic' },
  ]);
  expect(parseChoices(catalogue, ['appointment.*'], 'healthcore').length).toBeGreaterThan(1);
  expect(() => parseChoices(catalogue, ['patient.created:x'], 'healthcore')).toThrow('is not a topic');
});

it('wants exactly one target', () => {
  expect(targetOf({ toDatetime: '2h' }, 10_000_000)).toEqual({ kind: 'time', ms: 2_800_000 });
  expect(() => targetOf({}, 0)).toThrow('Say where to');
  expect(() => targetOf({ toOffset: '1.5' }, 0)).toThrow('is not an offset');
});
