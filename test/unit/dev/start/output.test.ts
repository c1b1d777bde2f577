import { createOutput, wantsColour } from '../../../../dev/start/output';

const json =
  '{"level":"info","time":"2026-01-05T19:00:00.000Z","program":"api","port":8000,"msg":"listening"}';

function lines(options: { pretty: boolean; colour: boolean }, name: string, text: string): string[] {
  let written = '';
  const output = createOutput({
    ...options,
    names: ['api', 'consumers'],
    write: (part) => void (written += part),
  });
  output.line(name, text);
  expect(written.endsWith('\n')).toBe(true);
  return written.slice(0, -1).split('\n');
}

describe('the log of all parts', () => {
  it('puts the name of the part before each line, all equally wide', () => {
    expect(lines({ pretty: false, colour: false }, 'api', 'hello')).toEqual(['api       | hello']);
    expect(lines({ pretty: false, colour: false }, 'consumers', 'hello')).toEqual(['consumers | hello']);
  });

  it('passes JSON on as it is where no person reads it', () => {
    expect(lines({ pretty: false, colour: false }, 'api', json)).toEqual([`api       | ${json}`]);
  });

  it('turns JSON into a short line on a terminal', () => {
    const [line] = lines({ pretty: true, colour: false }, 'api', json);
    expect(line).toMatch(/^api {7}\| \[\d\d:00:00\] INFO: listening \{"port":8000\}$/);
  });

  it('puts the name before each line of a stack', () => {
    const failure = JSON.stringify({
      level: 'fatal',
      time: '2026-01-05T19:00:00.000Z',
      err: { type: 'Error', message: 'broken', stack: '    at one\n    at two' },
      msg: 'unexpected failure',
    });
    const shown = lines({ pretty: true, colour: false }, 'api', failure);
    expect(shown.length).toBeGreaterThan(3);
    expect(shown.every((line) => line.startsWith('api       |'))).toBe(true);
  });

  it('shows a line that only looks like JSON as it is', () => {
    expect(lines({ pretty: true, colour: false }, 'api', '{ oops')).toEqual(['api       | { oops']);
  });

  it('colours the names only where colours are wanted', () => {
    expect(lines({ pretty: true, colour: true }, 'api', 'hello')).toEqual([
      '\u001b[95mapi       |\u001b[39m hello',
    ]);
  });

  it('wants colours on a terminal only, and never against NO_COLOR', () => {
    expect(wantsColour({ isTTY: true }, {})).toBe(true);
    expect(wantsColour({ isTTY: true }, { NO_COLOR: '' })).toBe(true);
    expect(wantsColour({ isTTY: true }, { NO_COLOR: '1' })).toBe(false);
    expect(wantsColour({ isTTY: true }, { TERM: 'dumb' })).toBe(false);
    expect(wantsColour({}, {})).toBe(false);
  });
});
