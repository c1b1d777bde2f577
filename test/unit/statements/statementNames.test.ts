import { StatementNames } from '../../../src/outbox/prisma/adapter/statements/statementNames';

/** What a statement is called each time that it comes. */
const come = (names: StatementNames, text: string, times: number): (string | undefined)[] =>
  Array.from({ length: times }, () => names.of(text));

describe('the names of prepared statements', () => {
  it('are for what comes again: from its sixth time on, and the same each time', () => {
    const names = new StatementNames();
    expect(come(names, 'SELECT 1', 5)).toEqual(Array(5).fill(undefined));
    const [first, ...others] = come(names, 'SELECT 1', 3);
    expect(first).toMatch(/^signalbox_\d+$/);
    expect(others).toEqual([first, first]);
  });

  it('differ from text to text', () => {
    const names = new StatementNames();
    const given = ['a', 'b', 'c'].map((text) => come(names, text, 6).at(-1));
    expect(new Set(given).size).toBe(3);
  });

  it('are not for long texts, which are bulk writes', () => {
    expect(come(new StatementNames(), 'x'.repeat(4_001), 10).at(-1)).toBeUndefined();
    expect(come(new StatementNames(), 'x'.repeat(4_000), 10).at(-1)).toBeDefined();
  });

  it('are two hundred at most, so that no connection fills with plans', () => {
    const names = new StatementNames();
    const given = Array.from({ length: 300 }, (_, n) => come(names, `SELECT ${n}`, 6).at(-1));
    expect(given.filter((name) => name !== undefined)).toHaveLength(200);
  });

  it('are not found by texts that vary: counting them takes no more room than a thousand', () => {
    const names = new StatementNames();
    come(names, 'SELECT 1', 5);
    for (let n = 0; n < 1_000; n++) names.of(`SELECT ${n}, 1`);
    expect(names.of('SELECT 1')).toBeUndefined();
  });

  it('are never given to a text again that the server would not run by its name', () => {
    const names = new StatementNames();
    const old = come(names, 'SELECT 1', 6).at(-1) ?? '';
    names.forget('SELECT 1', old);
    const other = names.of('SELECT 1');
    expect(other).toMatch(/^signalbox_/);
    expect(other).not.toBe(old);
    names.forget('SELECT 1', old);
    expect(names.of('SELECT 1')).toBe(other);
  });
});
