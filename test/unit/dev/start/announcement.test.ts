import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { announcement, quote } from '../../../../dev/start/announcement';
import { readSettings, wantedPorts } from '../../../../dev/start/settings';
import { ConfigError } from '../../../../src/shared/config/load';

const addresses = {
  databaseUrl: 'postgresql://signalbox@127.0.0.1:54329/signalbox',
  brokers: '127.0.0.1:29092',
};

/** The words of a command, as a POSIX shell sees them. */
function wordsOf(command: string): string[] {
  return execFileSync('/bin/sh', ['-c', `printf '%s\\n' ${command}`], { encoding: 'utf8' })
    .trimEnd()
    .split('\n');
}

function curlOf(text: string): string {
  const lines = text.split('\n');
  const first = lines.findIndex((line) => line.startsWith('  curl'));
  const last = lines.findIndex((line, index) => index > first && !line.endsWith('\\'));
  return lines
    .slice(first, last + 1)
    .join('\n')
    .trim();
}

describe('what npm start says when all is ready', () => {
  it('begins with the line that scripts wait for', () => {
    const text = announcement(readSettings({}), addresses, 'a1');
    expect(text.trimStart()).toMatch(/^Signalbox is ready/);
    expect(text).toContain('http://localhost:8000/docs');
  });

  it('shows a command that creates a patient, as a POSIX shell reads it', () => {
    const words = wordsOf(curlOf(announcement(readSettings({ PORT: '8123' }), addresses, 'a1')));
    expect(words).toEqual([
      'curl',
      '-X',
      'POST',
      'http://localhost:8123/api/v1/patients',
      '-H',
      'Content-Type: application/json',
      '-d',
      '{"name": "Test Patient", "email": "test.a1@example.com"}',
    ]);
  });

  it('names only commands that exist', () => {
    const text = announcement(readSettings({}), addresses, 'a1');
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      scripts: Record<string, string>;
    };
    const named = [...text.matchAll(/npm run (\S+)/g)].map(([, name = '']) => name);
    expect(named).not.toEqual([]);
    for (const name of named) expect(Object.keys(scripts)).toContain(name);
  });

  it('never shows the password of a database', () => {
    const databaseUrl = 'postgresql://me:s3cret@db.example:5432/app';
    const text = announcement(readSettings({}), { ...addresses, databaseUrl }, 'a1');
    expect(text).not.toContain('s3cret');
    expect(text).toContain('postgresql://me:***@db.example:5432/app');
  });

  it('quotes words that a shell would take apart', () => {
    for (const word of ['plain:29092', 'a b', `it's`, '$HOME `id` "x"', '***', '']) {
      expect(wordsOf(quote(word))).toEqual([word]);
    }
  });
});

describe('the settings of npm start', () => {
  it('bring servers along unless they are given', () => {
    const variables = (environment: Record<string, string>): string[] =>
      wantedPorts(readSettings(environment)).map(({ variable }) => variable);
    const ours = ['PORT', 'RELAY_PORT', 'CONSUMERS_PORT'];
    expect(variables({})).toEqual(['EMBEDDED_POSTGRES_PORT', 'EMBEDDED_KAFKA_PORT', ...ours]);
    expect(variables({ DATABASE_URL: addresses.databaseUrl })).toEqual(['EMBEDDED_KAFKA_PORT', ...ours]);
    expect(variables({ KAFKA_BOOTSTRAP_SERVERS: 'kafka:9092' })).toEqual(['EMBEDDED_POSTGRES_PORT', ...ours]);
  });

  it('have the ports that others rely on', () => {
    expect(wantedPorts(readSettings({})).map(({ port }) => port)).toEqual([
      54_329, 29_092, 8_000, 8_001, 8_002,
    ]);
  });

  it('stay on this machine unless told otherwise, because the embedded servers ask for no password', () => {
    expect(readSettings({}).HOST).toBe('127.0.0.1');
    expect(readSettings({ HOST: '0.0.0.0' }).HOST).toBe('0.0.0.0');
  });

  it('are refused with all problems of all programs at once', () => {
    const read = (): unknown =>
      readSettings({ PORT: 'x', RELAY_LEASE_MS: '1', EMBEDDED_KAFKA_PORT: '70000' });
    expect(read).toThrow(ConfigError);
    expect(read).toThrow(/PORT="x"(.|\n)*RELAY_LEASE_MS="1"(.|\n)*EMBEDDED_KAFKA_PORT="70000"/);
  });
});
