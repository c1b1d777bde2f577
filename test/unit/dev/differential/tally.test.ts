import { addTally, countStep, newTally } from '../../../integration/differential/tally';
import { printWrite } from '../../../integration/differential/print';
import type { Write } from '../../../integration/differential/steps';

const create: Write = { model: 'patient', action: 'create', args: { data: { name: 'Ann' } } };
const update: Write = {
  model: 'patient',
  action: 'update',
  args: { where: { id: '1' }, data: { appointments: { delete: { id: '2' } } } },
};

describe('the tally of a run', () => {
  it('counts writes that were made, what they do to related rows, and which failed', () => {
    const tally = newTally();
    const items = [create, update].map((write) => ({ kind: 'write' as const, write, caught: false }));
    countStep(
      tally,
      { kind: 'interactive', context: {}, items, end: 'commit' },
      [
        { call: printWrite(update), error: 'no' },
        { call: '$transaction(…)', error: 'no' },
      ],
      [],
    );
    expect(tally).toMatchObject({ steps: 1, calls: 2, failedCalls: 2 });
    expect(tally.operations).toEqual({
      'patient.update': { calls: 1, failed: 1 },
      'patient.update › appointments.delete': { calls: 1, failed: 1 },
      $transaction: { calls: 1, failed: 1 },
    });
  });

  it('counts each write of a batch, and sums up what several processes did', () => {
    const [tally, other] = [newTally(), newTally()];
    const batch = { kind: 'batch' as const, context: {}, writes: [create, create] };
    countStep(other, batch, [{ call: '$transaction([…])', result: [] }], []);
    addTally(tally, other);
    addTally(tally, other);
    expect(tally.operations).toEqual({
      $transaction: { calls: 2, failed: 0 },
      'patient.create': { calls: 4, failed: 0 },
    });
  });
});
