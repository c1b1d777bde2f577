/*
 * Both engines against plain Prisma and against a view of their own tables, by random sequences of writes: always the
 * same ones, so that it never fails for what nobody has just changed. `npm run test:differential -- --runs 100000` runs
 * others, as many as one likes.
 */
import { effort } from '../../support/effort';
import type { Subject } from './databases';
import { explore } from './explore';
import { countOf, type PlanName, plans } from './plans';
import { addTally, newTally, type Tally } from './tally';

const seed = 20_261_121;
const runs = effort(30, 100);

async function exploreAll(plan: PlanName): Promise<Tally> {
  const tally = newTally();
  const subjects: Subject[] = await plans[plan].open();
  try {
    const part = { plan, seed, path: '0', count: countOf(plan, runs) };
    const difference = await explore(subjects, part, {
      ran: (one) => addTally(tally, one),
      diverged: () => undefined,
    });
    if (difference !== undefined) throw new Error(difference);
  } finally {
    await Promise.all(subjects.map((subject) => subject.close()));
  }
  return tally;
}

describe('both engines', () => {
  it('show callers what plain Prisma shows, and say the same of every change', async () => {
    const { events, calls, failedCalls } = await exploreAll('alone');
    expect(events).toBeGreaterThan(4 * runs);
    expect(failedCalls).toBeGreaterThan(calls / 10);
    expect(failedCalls).toBeLessThan(0.5 * calls);
  }, 600_000);

  it('say what their tables say when a limit leaves it to Postgres which rows are written', async () => {
    await exploreAll('limits');
  }, 600_000);
});

describe('both engines in one database', () => {
  it('say of every change of a captured client what one of them would say alone', async () => {
    await exploreAll('together');
  }, 600_000);
});
