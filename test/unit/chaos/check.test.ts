/** The judge before false evidence: what it does not see, no storm will show. */
import { check, type Faults, isClean } from '../../chaos/checker/check';
import type { Change, Evidence, PublishedEvent } from '../../chaos/checker/evidence';
import { passed, report } from '../../chaos/report';

const change = (id: string, version: number): Change => {
  const eventType = version === 1 ? 'patient.created' : 'patient.updated';
  return {
    aggregate: `patient ${id}`,
    version,
    key: `patient ${id} ${eventType} ${version}`,
    tag: `tx-${id}-${version}`,
  };
};

const changes = [change('a', 1), change('a', 2), change('a', 3), change('b', 1), change('b', 2)];

const event = ({ aggregate, key, version }: Change, offset: number): PublishedEvent => ({
  key,
  aggregate,
  eventId: `event of ${key}`,
  topic: key.includes('created') ? 'created' : 'updated',
  partition: 0,
  offset: BigInt(offset),
  sequence: BigInt(version * 10),
});

const published = changes.map(event);

/** Everything as it should be. */
const honest: Evidence = {
  changes,
  outbox: published,
  published,
  effects: published,
  tables: [
    { aggregate: 'patient a', version: 3 },
    { aggregate: 'patient b', version: 2 },
  ],
  transactions: changes.map(({ tag }) => ({ tag, changes: 1, outcome: 'committed' as const })),
  parked: 0,
  deadLetters: 0,
};

/** The kinds of faults that the judge finds in it. */
function faultsOf(evidence: Partial<Evidence>): (keyof Faults)[] {
  const { faults } = check({ ...honest, ...evidence });
  return (Object.keys(faults) as (keyof Faults)[]).filter((name) => faults[name].length > 0);
}

const without = <T>(list: readonly T[], index: number): T[] => list.filter((_, at) => at !== index);
const [created, second, third] = published as [PublishedEvent, PublishedEvent, PublishedEvent];

it('finds nothing where there is nothing to find', () => {
  const verdict = check(honest);
  expect(faultsOf({})).toEqual([]);
  expect(isClean(verdict)).toBe(true);
  expect(verdict).toMatchObject({ committed: 5, published: 5, repeated: 0, effects: 5 });
});

describe('of publishing, it says', () => {
  it('that an event is lost, and its effect with it or not', () => {
    expect(faultsOf({ published: without(published, 1) })).toEqual(['lost', 'effectsOutOfNowhere']);
    expect(faultsOf({ published: without(published, 1), effects: without(published, 1) })).toEqual(['lost']);
  });

  it('that an event was rolled back and published all the same', () => {
    expect(
      faultsOf({
        changes: without(changes, 4),
        tables: [
          { aggregate: 'patient a', version: 3 },
          { aggregate: 'patient b', version: 1 },
        ],
        transactions: [],
      }),
    ).toEqual(['invented', 'capturedForNothing']);
  });

  it('that an event comes after a later one of its aggregate in its topic', () => {
    const swapped = [created, { ...third, offset: 1n }, { ...second, offset: 2n }, ...published.slice(3)];
    expect(faultsOf({ published: swapped })).toEqual(['outOfOrder']);
  });

  it('that the events of an aggregate lie in two partitions', () => {
    expect(
      faultsOf({ published: [created, second, { ...third, partition: 1 }, ...published.slice(3)] }),
    ).toEqual(['outOfOrder']);
  });

  it('that sequences do not grow with the changes, in another topic too', () => {
    expect(faultsOf({ published: [{ ...created, sequence: 25n }, ...published.slice(1)] })).toEqual([
      'sequenceWrong',
    ]);
  });

  it('that one change was told under two ids', () => {
    const twin = { ...third, eventId: 'another', offset: 9n, sequence: 31n };
    expect(faultsOf({ published: [...published, twin], outbox: [...published, twin] })).toEqual([
      'toldTwice',
      'effectsLost',
    ]);
  });

  it('how often events were repeated, which is no fault, in whatever order the further copies come', () => {
    const again = [
      { ...second, offset: 10n },
      { ...third, offset: 11n },
      { ...second, offset: 12n },
    ];
    expect(faultsOf({ published: [...published, ...again] })).toEqual([]);
    expect(check({ ...honest, published: [...published, ...again] }).repeated).toBe(3);
  });

  it('that capture, not the relay, has missed a change or made one up', () => {
    expect(faultsOf({ outbox: without(published, 0) })).toEqual(['notCaptured']);
    expect(
      faultsOf({ outbox: [...published, { key: 'patient c patient.created 1', eventId: 'c' }] }),
    ).toEqual(['capturedForNothing']);
  });

  it('that events are set aside, and that messages are dead letters', () => {
    expect(faultsOf({ parked: 1 })).toEqual(['parked']);
    expect(faultsOf({ deadLetters: 1 })).toEqual(['deadLetters']);
  });
});

describe('of consumers, it says', () => {
  it('that an effect is missing, doubled, or of an event that nobody published', () => {
    expect(faultsOf({ effects: without(published, 2) })).toEqual(['effectsLost']);
    expect(faultsOf({ effects: [...published, third] })).toEqual(['effectsDoubled']);
    expect(faultsOf({ effects: [...published, { eventId: 'unheard of', topic: 'updated' }] })).toEqual([
      'effectsOutOfNowhere',
    ]);
  });

  it('that effects came in the wrong order within a topic', () => {
    expect(faultsOf({ effects: [created, third, second, ...published.slice(3)] })).toEqual([
      'effectsOutOfOrder',
    ]);
  });
});

describe('of writers, it says', () => {
  it('that a commit was acknowledged and is not there', () => {
    expect(faultsOf({ transactions: [{ tag: 'tx-c-1', changes: 1, outcome: 'committed' }] })).toEqual([
      'commitsLost',
    ]);
  });

  it('that a rollback is there all the same', () => {
    expect(faultsOf({ transactions: [{ tag: 'tx-a-1', changes: 1, outcome: 'rolled back' }] })).toEqual([
      'rollbacksKept',
    ]);
  });

  it('that a transaction is there in part, whatever its writer knows of it', () => {
    for (const outcome of ['begun', 'committed'] as const) {
      expect(faultsOf({ transactions: [{ tag: 'tx-a-1', changes: 2, outcome }] })).toEqual(['halfCommitted']);
    }
  });

  it('nothing of a writer that was killed before it knew, if all or nothing is there', () => {
    const begun = (tag: string) => ({ tag, changes: 1, outcome: 'begun' as const });
    expect(faultsOf({ transactions: [begun('tx-a-1'), begun('tx-c-1')] })).toEqual([]);
  });

  it('that a row is not what its last change made of it, is gone, or outlived its deletion', () => {
    const [a, b] = honest.tables as [Evidence['tables'][number], Evidence['tables'][number]];
    expect(faultsOf({ tables: [{ ...a, version: 2 }, b] })).toEqual(['tablesWrong']);
    expect(faultsOf({ tables: [a] })).toEqual(['tablesWrong']);
    expect(faultsOf({ tables: [a, b, { aggregate: 'patient c', version: 1 }] })).toEqual(['tablesWrong']);
  });
});

it('prints a report that names the fault, an example, and how to run it again', () => {
  const verdict = check({ ...honest, published: without(published, 1) });
  const outcome = { verdict, disturbances: new Map([['relay killed', 3]]), findings: [], caughtUp: true };
  const text = report({ seed: 7, minutes: 1, kind: 'dev' }, outcome);
  expect(passed(outcome)).toBe(false);
  expect(text).toContain('FAULT lost: 1\n  patient a patient.updated 2');
  expect(text).toContain('3  relay killed');
  expect(text).toContain('npm run test:chaos -- --seed 7 --minutes 1 --kafka dev');
});

it('is not content with programs that ended by themselves, nor with consumers that never caught up', () => {
  const good = {
    verdict: check(honest),
    disturbances: new Map<string, number>(),
    findings: [],
    caughtUp: true,
  };
  expect(passed(good)).toBe(true);
  expect(passed({ ...good, findings: ['relay-1 ended by itself'] })).toBe(false);
  expect(passed({ ...good, caughtUp: false })).toBe(false);
});
