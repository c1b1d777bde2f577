import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cleanUp, type Environment, newEnvironment, npmStart } from './startAll';

let env: Environment;

beforeEach(async () => {
  env = await newEnvironment();
});

afterEach(() => cleanUp(undefined, env));

describe('npm start', () => {
  it('refuses a configuration that any of its programs would refuse, with all problems at once', async () => {
    const program = await npmStart({ ...env, RELAY_LEASE_MS: 'soon', LOG_LEVEL: 'loud' });
    expect(await program.exited).toEqual({ code: 1, signal: null });
    expect(program.output()).toMatch(/The configuration has 2 problems/);
    expect(program.output()).toMatch(/LOG_LEVEL="loud"(.|\n)*RELAY_LEASE_MS="soon"/);
    expect(existsSync(join(env['SIGNALBOX_DATA_DIR'] ?? '', 'postgres'))).toBe(false);
  });

  it('says what is wrong with a database that it was given, and stops what it had started', async () => {
    const databaseUrl = `postgresql://me:s3cret@127.0.0.1:${env['EMBEDDED_POSTGRES_PORT']}/app`;
    const program = await npmStart({ ...env, DATABASE_URL: databaseUrl });
    expect(await program.exited).toEqual({ code: 1, signal: null });
    expect(program.output()).toContain(
      `The database at 127.0.0.1:${env['EMBEDDED_POSTGRES_PORT']}/app can't be used`,
    );
    expect(program.output()).not.toContain('s3cret');
    expect(existsSync(join(env['SIGNALBOX_DATA_DIR'] ?? '', 'supervisor.owner'))).toBe(false);
  });

  it('explains itself', async () => {
    const program = await npmStart(env, '--help');
    expect(await program.exited).toEqual({ code: 0, signal: null });
    expect(program.output()).toMatch(/Usage: npm start -- \[options\](.|\n)*--fresh/);
  });

  it('refuses an option that it does not know', async () => {
    const program = await npmStart(env, '--frehs');
    expect(await program.exited).toEqual({ code: 1, signal: null });
    expect(program.output()).toContain("unknown option '--frehs'");
  });
});
