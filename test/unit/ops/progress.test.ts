import { createProgress, progressLine } from '../../../src/ops/output/progress';

function terminal(isTTY: boolean) {
  const written: string[] = [];
  return { written, stream: { isTTY, columns: 80, write: (text: string) => written.push(text) > 0 } };
}

test('a line says how much is done, of how much, and how fast', () => {
  expect(progressLine({ done: 500, total: 2_000, unit: 'events', elapsedMs: 2_000 })).toBe(
    `[${'#'.repeat(6)}${'·'.repeat(18)}]  25 %  500 of 2000 events, 250/s`,
  );
});

test('nothing to do is all done, and more than expected is no more than all', () => {
  expect(progressLine({ done: 0, total: 0, unit: 'events', elapsedMs: 0 })).toContain('100 %  0 of 0 events');
  expect(progressLine({ done: 7, total: 5, unit: 'events', elapsedMs: 0 })).toContain('100 %  7 of 7 events');
});

test('on a terminal it redraws one line, seldom, and leaves it clean', () => {
  const { stream, written } = terminal(true);
  let now = 0;
  const progress = createProgress({ stream, total: 10, unit: 'events', now: () => now });
  progress.advance(1);
  progress.advance(1);
  expect(written).toHaveLength(1);
  now = 150;
  progress.advance(1);
  expect(written).toHaveLength(2);
  progress.advance(7);
  expect(written.at(-1)).toContain('10 of 10 events');
  progress.end();
  progress.end();
  expect(written).toHaveLength(4);
  expect(written.every((text) => text.startsWith('\r\u001b[2K'))).toBe(true);
  expect(written.join('')).not.toContain('\n');
});

test('elsewhere it writes nothing', () => {
  const { stream, written } = terminal(false);
  const progress = createProgress({ stream, total: 10, unit: 'events' });
  progress.advance(10);
  progress.end();
  expect(written).toEqual([]);
});
