import { Progress } from '../../../../dev/differential/progress';

function written(isTTY: boolean, everyMs: number, times: number): string[] {
  const lines: string[] = [];
  let now = 0;
  const progress = new Progress(100, { isTTY, write: (text) => lines.push(text) }, () => now);
  for (let nr = 0; nr < times; nr++) {
    now += everyMs;
    progress.advance();
  }
  progress.end();
  return lines;
}

describe('the progress of a run', () => {
  it('is one line that changes on a terminal, and is gone at the end', () => {
    expect(written(true, 500, 2)).toEqual([
      '\r\u001B[2K1 of 100 sequences, 2.0/s, 00:00:50 left',
      '\r\u001B[2K2 of 100 sequences, 2.0/s, 00:00:49 left',
      '\r\u001B[2K',
    ]);
  });

  it('is a line a minute elsewhere', () => {
    expect(written(false, 40_000, 4)).toEqual([
      '2 of 100 sequences, 0.0/s, 01:05:20 left\n',
      '4 of 100 sequences, 0.0/s, 01:04:00 left\n',
    ]);
  });
});
