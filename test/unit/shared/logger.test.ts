import { createLogger } from '../../../src/shared/logger';

function logged(write: (logger: ReturnType<typeof createLogger>) => void): string {
  const lines: string[] = [];
  write(createLogger({ name: 'test', level: 'trace' }, { write: (line) => void lines.push(line) }));
  return lines.join('');
}

const marker = 'MARKER-Anna-Example';

describe('the logger', () => {
  it('hides personal fields and whole rows at any of the depths where they are logged', () => {
    const output = logged((logger) => {
      logger.info(
        {
          email: marker,
          patient: { name: marker, phone: marker },
          request: { patient: { clinicalNotes: marker } },
        },
        'a',
      );
      logger.info({ body: { anything: marker }, event: { data: { x: marker } }, row: { y: marker } }, 'b');
    });
    expect(output).toContain('[redacted]');
    expect(output).not.toContain(marker);
  });

  it('hides connection strings and passwords', () => {
    const output = logged((logger) =>
      logger.info({ config: { DATABASE_URL: marker, password: marker } }, 'config'),
    );
    expect(output).not.toContain(marker);
  });

  it('leaves out the message of an error that quotes values, and of its cause, but keeps kind, code and place', () => {
    const cause = Object.assign(new Error(`Key (email)=(${marker}) already exists.`), { code: '23505' });
    const error = Object.assign(new Error(`Invalid invocation: create({ name: "${marker}" })`, { cause }), {
      name: 'PrismaClientKnownRequestError',
      code: 'P2002',
    });
    const output = logged((logger) => logger.error({ err: error }, 'failed'));
    expect(output).not.toContain(marker);
    expect(JSON.parse(output).err).toMatchObject({
      type: 'PrismaClientKnownRequestError',
      code: 'P2002',
      stack: expect.stringContaining('logger.test'),
      cause: { type: 'Error', code: '23505' },
    });
  });

  it('keeps the message of an error of ours', () => {
    const output = logged((logger) => logger.error({ err: new Error('Port 8000 is taken') }, 'failed'));
    expect(JSON.parse(output).err.message).toBe('Port 8000 is taken');
  });
});
