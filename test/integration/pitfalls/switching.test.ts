import { randomUUID } from 'node:crypto';
import { type CapturedClient, createCapturedClient } from '../../../src/healthcore/capturedClient';
import type { CaptureEngineName } from '../../../src/outbox/prisma/engineName';
import { createTestDatabase } from '../../support/database';
import { silentLogger } from '../../support/logger';
import { waitFor } from '../../support/waitFor';
import { connect } from '../trigger/support';

/** An instance of an application that is written to all the time, and restarted with the one engine or the other. */
class Instance {
  /** E-mail addresses of the patients created, each with the phones that were written, in their order. */
  readonly written = new Map<string, string[]>();
  #client: CapturedClient | undefined;
  #running: Promise<void> = Promise.resolve();
  #failure: Error | undefined;
  #stopping = false;

  constructor(
    private readonly databaseUrl: string,
    private readonly name: string,
  ) {}

  async start(engine: CaptureEngineName): Promise<void> {
    const { databaseUrl, name } = this;
    const database = { databaseUrl, poolSize: 2, applicationName: name, logger: silentLogger() };
    this.#client = await createCapturedClient(engine, database, {
      source: `${name} ${engine}`,
      logger: silentLogger(),
    });
    this.#stopping = false;
    this.#running = this.#write(this.#client).catch((error: unknown) => {
      this.#failure = error as Error;
    });
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#running;
    await this.#client?.$disconnect();
    if (this.#failure) throw this.#failure;
  }

  /** Settles when the instance has written so many patients more; rejects when it has ceased to write. */
  async untilWritten(count: number): Promise<void> {
    const target = this.written.size + count;
    const enough = (): boolean => {
      if (this.#failure) throw this.#failure;
      return this.written.size >= target;
    };
    await waitFor(enough, { what: `${count} patients more of instance ${this.name}`, deadlineMs: 60_000 });
  }

  async #write(client: CapturedClient): Promise<void> {
    while (!this.#stopping) {
      const email = `${randomUUID()}@example.com`;
      const phones: string[] = [];
      const { id } = await client.patient.create({ data: { name: this.name, email } });
      this.written.set(email, phones);
      await client.patient.update({ where: { id }, data: { phone: '1' } });
      phones.push('1');
      await client.$transaction(async (tx) => {
        await tx.patient.updateMany({ where: { email }, data: { phone: '2' } });
        await tx.patient.upsert({
          where: { email },
          create: { name: 'never', email },
          update: { phone: '3' },
        });
      });
      phones.push('2', '3');
    }
  }
}

it('switching OUTBOX_CAPTURE back and forth, instance by instance under load, loses and doubles nothing', async () => {
  const database = await createTestDatabase();
  const db = await connect(database.url);
  try {
    const instances = [new Instance(database.url, 'one'), new Instance(database.url, 'two')];
    await Promise.all(instances.map((instance) => instance.start('middleware')));
    for (const engine of ['trigger', 'middleware', 'trigger', 'middleware'] as const) {
      for (const instance of instances) {
        await Promise.all(instances.map((each) => each.untilWritten(5)));
        await instance.stop();
        await instance.start(engine);
      }
    }
    await Promise.all(instances.map((each) => each.untilWritten(5)));
    await Promise.all(instances.map((instance) => instance.stop()));

    const events = await db.events();
    const told = new Map<string, string[]>();
    for (const { event_type, data } of events) {
      const email = String(data['email']);
      told.set(email, [...(told.get(email) ?? []), `${event_type} ${String(data['phone'])}`]);
    }
    const expected = instances.flatMap(({ written }) =>
      [...written].map(([email, phones]): [string, string[]] => [
        email,
        ['patient.created null', ...phones.map((phone) => `patient.updated ${phone}`)],
      ]),
    );
    expect(Object.fromEntries(told)).toEqual(Object.fromEntries(expected));
    const sources = new Set(events.map(({ source }) => source));
    expect([...sources].sort()).toEqual(['one middleware', 'one trigger', 'two middleware', 'two trigger']);
  } finally {
    await db.client.end();
    await database.assertNoLeaks();
    await database.drop();
  }
}, 180_000);
