import { CommitGate } from '../../../src/shared/commitGate';

const failing = (cause: object) => async () => Promise.reject(Object.assign(new Error('x'), { cause }));

it('says while a commit is under way, and after it, that something may have been committed', async () => {
  const gate = new CommitGate();
  expect(gate.mayHaveCommitted).toBe(false);
  let finish: () => void = () => undefined;
  const committed = gate.commit(async () => new Promise<void>((resolve) => (finish = resolve)));
  gate.close();
  expect([gate.isClosed, gate.mayHaveCommitted]).toEqual([true, true]);
  finish();
  await committed;
  expect(gate.mayHaveCommitted).toBe(true);
});

it.each(['23505', '23P01', '40001', '40P01', '57014', '55P03', '22021'])(
  'knows that nothing was committed when the server says %s',
  async (originalCode) => {
    const gate = new CommitGate();
    await expect(gate.commit(failing({ originalCode }))).rejects.toThrow('x');
    expect(gate.mayHaveCommitted).toBe(false);
  },
);

it.each([
  { originalCode: '57P01' },
  { originalCode: '57P02' },
  { originalCode: '08006' },
  { originalCode: '58030' },
  { originalCode: 'XX000' },
  { originalCode: 'EPIPE' },
  { kind: 'ConnectionClosed' },
  {},
])('does not know what became of a commit that failed with %j', async (cause) => {
  const gate = new CommitGate();
  await expect(gate.commit(failing(cause))).rejects.toThrow('x');
  expect(gate.mayHaveCommitted).toBe(true);
});

it('is as doubtful after one commit that went well and one that did not', async () => {
  const gate = new CommitGate();
  await gate.commit(async () => undefined);
  await expect(gate.commit(failing({ originalCode: '23505' }))).rejects.toThrow('x');
  expect(gate.mayHaveCommitted).toBe(true);
});
