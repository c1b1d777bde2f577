import { Registry } from 'prom-client';
import { catalogue } from '../../../src/healthcore/catalogue';
import { triggerInspector } from '../../../src/outbox/prisma/trigger/installed';
import { TriggerWatch } from '../../../src/outbox/prisma/triggerWatch';
import type { CaptureEngineName } from '../../../src/outbox/prisma/engineName';
import { createCapturedClient } from '../../../src/healthcore/capturedClient';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { type CapturedLog, captureLogger } from '../../support/logger';
import { waitFor } from '../../support/waitFor';
import { connect, type TestConnection } from './support';

const gauge = async (registry: Registry): Promise<string> =>
  /signalbox_capture_triggers_ok\{.*\} (\d)/.exec(await registry.metrics())?.[1] ?? 'missing';

describe.each<CaptureEngineName>(['trigger', 'middleware'])(
  'the watch over the triggers, engine %s',
  (engine) => {
    let database: TestDatabase;
    let db: TestConnection;
    let watch: TriggerWatch;
    /** How often the watch has looked. */
    let looks: number;
    let registry: Registry;
    let stop: () => Promise<unknown>;
    let log: CapturedLog;

    beforeEach(async () => {
      log = captureLogger();
      database = await createTestDatabase();
      db = await connect(database.url);
      const options = {
        databaseUrl: database.url,
        poolSize: 2,
        applicationName: 'watch',
        logger: log.logger,
      };
      const prisma = await createCapturedClient(engine, options, { source: 'watch', logger: log.logger });
      const inspect = triggerInspector(prisma, catalogue);
      looks = 0;
      registry = new Registry();
      watch = new TriggerWatch({
        engine,
        inspect: async () => {
          const found = await inspect();
          looks += 1;
          return found;
        },
        registry,
        logger: log.logger,
        intervalMs: 20,
      });
      stop = async () => {
        await watch.stop();
        await prisma.$disconnect();
        await db.client.end();
        await database.drop();
      };
    });
    afterEach(() => stop());

    it('has a figure before the first look', async () => {
      expect(await gauge(registry)).toBe(engine === 'trigger' ? '1' : '0');
    });

    it.each([
      [
        'switched off',
        'ALTER TABLE patients DISABLE TRIGGER USER',
        'ALTER TABLE patients ENABLE TRIGGER USER',
        'is switched off',
      ],
      [
        'left on a table that was swapped',
        'ALTER TABLE appointments RENAME TO former; CREATE TABLE public.appointments (LIKE former)',
        'DROP TABLE appointments; ALTER TABLE former RENAME TO appointments',
        'signalbox_appointment_insert on "appointments" is missing',
      ],
    ])('says once that triggers were %s, and once that they are back', async (_, harm, repair, detail) => {
      await watch.start();
      await waitFor(async () => (await gauge(registry)) === '1', { what: 'a first look' });
      await db.run(harm);
      await waitFor(async () => (await gauge(registry)) === '0', { what: 'the harm to be seen' });
      expect(await watch.readiness.check()).toEqual({
        ok: engine === 'middleware',
        detail: expect.stringContaining(detail),
      });
      const before = looks;
      await waitFor(() => looks >= before + 3, { what: 'looks that find the same' });
      await db.run(repair);
      await waitFor(async () => (await gauge(registry)) === '1', { what: 'the repair to be seen' });
      expect(await watch.readiness.check()).toEqual({ ok: true });
      const said = log.entries().filter(({ msg }) => /capture triggers are/.test(String(msg)));
      // A look in the midst of a swap may see a part of it, which is another finding; none is said twice.
      const findings = said.map(({ level, found }) => `${String(level)} ${String(found)}`);
      expect(findings).toEqual([...new Set(findings)]);
      const level = engine === 'trigger' ? 'error' : 'warn';
      expect(new Set(said.map((line) => line['level']))).toEqual(new Set([level, 'info']));
      expect(said.at(-1)).toMatchObject({ level: 'info' });
    });

    it('keeps what it has found while the database cannot be asked', async () => {
      const asked: (() => void)[] = [];
      const failing = new TriggerWatch({
        engine,
        registry: new Registry(),
        logger: log.logger,
        intervalMs: 5,
        inspect: async () => {
          asked.forEach((done) => done());
          if (log.entries().some(({ msg }) => /not as the catalogue/.test(String(msg))))
            throw new Error('away');
          return [{ problem: 'a trigger is missing', remedy: 'reinstall' }];
        },
      });
      await failing.start();
      for (let looks = 0; looks < 3; looks += 1) await new Promise<void>((resolve) => asked.push(resolve));
      await failing.stop();
      expect(await failing.readiness.check()).toMatchObject({
        detail: expect.stringContaining('a trigger is missing. Write'),
      });
    });
  },
);
