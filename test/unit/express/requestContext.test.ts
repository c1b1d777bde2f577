import { requestContext } from '../../../src/express/requestContext';
import { currentContext, type EventContext } from '../../../src/outbox/context';
import { contextFromHeaders } from '../../../src/outbox/contextFromHeaders';

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

describe('the context of headers', () => {
  it('is the same of Node’s headers and of those of a fetch request', () => {
    const headers = { 'x-correlation-id': 'request-7', traceparent };
    const context = { correlationId: 'request-7', traceparent, actor: 'auth0|ada' };
    expect(contextFromHeaders(headers, { actor: 'auth0|ada' })).toEqual(context);
    expect(contextFromHeaders(new Headers(headers), { actor: 'auth0|ada' })).toEqual(context);
  });

  it('takes x-request-id where there is no usable correlation id, and a new id where there is neither', () => {
    const both = { 'x-correlation-id': 'no blanks', 'x-request-id': 'r-1' };
    expect(contextFromHeaders(both).correlationId).toBe('r-1');
    expect(contextFromHeaders({ 'x-request-id': ['a', 'b'] }).correlationId).toMatch(uuid);
  });

  it('is without a traceparent that the standard forbids', () => {
    for (const wrong of [
      traceparent.replace('00-', 'ff-'),
      traceparent.replace(/4bf9\w+/, '0'.repeat(32)),
      'x',
    ])
      expect(contextFromHeaders({ traceparent: wrong }).traceparent).toBeUndefined();
  });
});

describe('the middleware', () => {
  const run = (actor: (request: { headers: Record<string, string> }) => string | undefined) => {
    const sent: Record<string, string> = {};
    let seen: EventContext | undefined;
    const handle = (): void =>
      requestContext({ actor })(
        { headers: { 'x-correlation-id': 'request-7' } },
        { setHeader: (name, value) => (sent[name] = value) },
        () => (seen = currentContext()),
      );
    return { handle, sent, context: () => seen };
  };

  it('runs the rest of the request in its context, and names the id in the response', () => {
    const { handle, sent, context } = run(() => 'auth0|ada');
    handle();
    expect(context()).toMatchObject({ correlationId: 'request-7', actor: 'auth0|ada' });
    expect(sent).toEqual({ 'x-correlation-id': 'request-7', 'x-request-id': 'request-7' });
    expect(currentContext()).toEqual({});
  });

  it('names the id in the answer to a request whose actor is refused, too', () => {
    const { handle, sent, context } = run(() => {
      throw new Error('not an account');
    });
    expect(handle).toThrow('not an account');
    expect(sent['x-correlation-id']).toBe('request-7');
    expect(context()).toBeUndefined();
  });
});
