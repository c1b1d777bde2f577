import { appendFileSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Journal } from '../../../dev/broker/storage/journal';
import { temporaryDirectory } from './temporaryDirectory';

const directory = temporaryDirectory();
const file = (): string => join(directory(), 'journal');

interface Entry {
  readonly name: string;
  readonly value: number;
}

function open(smallFile?: number): { journal: Journal<Entry>; state: Map<string, number>; dropped: number } {
  const state = new Map<string, number>();
  const journal = new Journal<Entry>({
    file: file(),
    apply: ({ name, value }) => state.set(name, value),
    snapshot: () => Array.from(state, ([name, value]) => ({ name, value })),
    ...(smallFile === undefined ? {} : { smallFile }),
  });
  return { journal, state, dropped: journal.open() };
}

it('has everything again after a reopening', () => {
  const { journal } = open();
  for (let value = 0; value < 10; value += 1) journal.append({ name: `ü${value % 3}`, value });
  journal.close();
  const again = open();
  expect([...again.state]).toEqual([
    ['ü0', 9],
    ['ü1', 7],
    ['ü2', 8],
  ]);
  expect(again.dropped).toBe(0);
  again.journal.close();
});

it('is in the file before append returns', () => {
  const { journal } = open();
  journal.append({ name: 'a', value: 1 });
  const copy = readFileSync(file());
  journal.close();
  writeFileSync(file(), copy);
  const again = open();
  expect(again.state.get('a')).toBe(1);
  again.journal.close();
});

it('drops an entry that was cut short, wherever, and goes on behind the last whole one', () => {
  const { journal } = open();
  journal.append({ name: 'a', value: 1 });
  const whole = statSync(file()).size;
  journal.append({ name: 'a', value: 2 });
  journal.close();
  const both = readFileSync(file());
  for (let size = whole; size < both.length; size += 1) {
    writeFileSync(file(), both);
    truncateSync(file(), size);
    const cut = open();
    expect(cut.state.get('a')).toBe(1);
    expect(cut.dropped).toBe(size - whole);
    cut.journal.append({ name: 'b', value: 3 });
    cut.journal.close();
    const again = open();
    expect([...again.state]).toEqual([
      ['a', 1],
      ['b', 3],
    ]);
    again.journal.close();
  }
});

it('drops an entry whose content was damaged', () => {
  const { journal } = open();
  journal.append({ name: 'a', value: 1 });
  journal.append({ name: 'a', value: 2 });
  journal.close();
  const bytes = readFileSync(file());
  bytes[bytes.length - 2] = 0x39;
  writeFileSync(file(), bytes);
  appendFileSync(file(), Buffer.alloc(100));
  const again = open();
  expect(again.state.get('a')).toBe(1);
  expect(again.dropped).toBeGreaterThan(100);
  again.journal.close();
});

it('does not grow for ever, and loses nothing when it is written anew', () => {
  const { journal } = open(1_000);
  for (let value = 0; value < 5_000; value += 1) journal.append({ name: `n${value % 5}`, value });
  expect(statSync(file()).size).toBeLessThan(2_000);
  journal.close();
  const again = open();
  expect([...again.state.values()].toSorted((a, b) => a - b)).toEqual([4995, 4996, 4997, 4998, 4999]);
  again.journal.close();
});
