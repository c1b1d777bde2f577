import { readinessChecks } from '../../../src/api/readiness';
import { UserError } from '../../../src/shared/lifecycle';
import { checkReadiness } from '../../../src/shared/opsServer';

const fine = { ping: async () => undefined, pendingMigrations: async () => [], timeoutMs: 60_000 };

it('is ready when the database answers and has every migration', async () => {
  expect(await checkReadiness(readinessChecks(fine))).toEqual({
    ready: true,
    checks: { database: { ok: true }, migrations: { ok: true } },
  });
});

it('is not ready while migrations are missing, and names them and the command', async () => {
  let missing = ['2_b'];
  let looks = 0;
  const checks = readinessChecks({
    ...fine,
    pendingMigrations: async () => {
      looks += 1;
      return missing;
    },
  });
  const before = await checkReadiness(checks);
  expect(before).toMatchObject({ ready: false, checks: { database: { ok: true } } });
  expect(before.checks['migrations']?.detail).toBe('run "npm run migrate"; missing: 2_b');
  missing = [];
  expect((await checkReadiness(checks)).ready).toBe(true);
  expect((await checkReadiness(checks)).ready).toBe(true);
  expect(looks).toBe(2);
});

it('shows of a failure the code, or a message that was written for people, and nothing else', async () => {
  const detailOf = async (error: unknown) => {
    const failing = async (): Promise<never> => {
      throw error;
    };
    const { checks } = await checkReadiness(readinessChecks({ ...fine, ping: failing }));
    return checks['database'];
  };
  const secret = 'connect postgres://u:secret@host';
  expect(await detailOf(Object.assign(new Error(secret), { code: 'P1001' }))).toEqual({
    ok: false,
    detail: 'P1001',
  });
  expect(await detailOf(new TypeError(secret))).toEqual({ ok: false, detail: 'TypeError' });
  expect(await detailOf(new UserError('Run it'))).toEqual({ ok: false, detail: 'Run it' });
});

it('does not wait for ever, nor ask again while the last question hangs', async () => {
  let asked = 0;
  const checks = readinessChecks({
    ...fine,
    timeoutMs: 20,
    ping: () => {
      asked += 1;
      return new Promise(() => undefined);
    },
  });
  for (let round = 0; round < 3; round += 1) {
    const { checks: outcome } = await checkReadiness(checks);
    expect(outcome['database']).toEqual({ ok: false, detail: 'no answer within 20 ms' });
  }
  expect(asked).toBe(1);
});
