import { cutContextComment } from '../../../src/outbox/prisma/adapter/statements/contextComment';

const insert = 'INSERT INTO "patients" ("id") VALUES ($1)';
const stamped = (actor: string, more = ''): string =>
  `${insert} /*actor='${actor}',causation_id='',correlation_id='req-1',source='clinic',traceparent=''${more}*/`;

describe('the comment with the context of a statement', () => {
  it('is cut off, whatever it says, and the statement stays the same', () => {
    expect(cutContextComment(stamped('user%3A42'))).toEqual({
      text: insert,
      context: `actor='user:42',causation_id='',correlation_id='req-1',source='clinic',traceparent=''`,
    });
    expect(cutContextComment(stamped('')).text).toBe(insert);
  });

  it.each([
    ['has a value that must be decoded', stamped('100%25')],
    ['has a value with a quote', stamped(`it\\'s`)],
    ['holds more than the context', stamped('user', `,zone='eu'`)],
    ['is the mark of the other engine', `${insert} /*signalbox='middleware.patients'*/`],
    ['is somebody else’s', `${insert} /* by hand */`],
    ['is not at the end', `${stamped('user')} `],
    [
      'has another one before it, which would count then',
      stamped('user').replace(' /*', ' /* by hand */ /*'),
    ],
    ['is none', insert],
  ])('stays where it is when it %s', (_what, sql) => {
    expect(cutContextComment(sql)).toEqual({ text: sql });
  });
});
