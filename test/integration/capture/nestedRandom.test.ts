/*
 * Random nested writes, several operations on related rows in each. Alone, a write must have the events that a
 * comparison of the tables before and after it means, and callers must see what the trigger engine's see. In
 * transactions with caught failures, savepoints and writes at the same time, the events must tell what has become of
 * every row.
 *
 * NESTED_SEED   the seed that a run has printed, to run the same writes again
 * NESTED_RUNS   how many rounds
 */
import fc from 'fast-check';
import { effort } from '../../support/effort';
import { openSubject, type Content, type Look, type Subject } from '../differential/databases';
import { aggregateOf, expectedEvents } from '../differential/expected';
import type { Writer } from '../differential/perform';
import { replayProblems } from '../differential/replay';

type Args = Record<string, unknown>;

interface Write {
  readonly model: 'patient' | 'appointment';
  readonly action: 'create' | 'update' | 'upsert';
  readonly args: Args;
}

const seed = process.env['NESTED_SEED']
  ? Number(process.env['NESTED_SEED'])
  : effort(20_261_126, Date.now() % 2 ** 31);
const runs = Number(process.env['NESTED_RUNS'] ?? effort(8, 20));

/* Rows that a round begins with, and keys that are free then: a write is to succeed more often than not. */
const patientIds = [1, 2, 3].map((nr) => `00000000-0000-7000-8000-00000000000${nr}`);
const freePatientIds = [4, 5, 6, 7].map((nr) => `00000000-0000-7000-8000-00000000000${nr}`);
const visitIds = [1, 2, 3, 4].map((nr) => `00000000-0000-7000-9000-00000000000${nr}`);
const freeVisitIds = [5, 6, 7, 8, 9].map((nr) => `00000000-0000-7000-9000-00000000000${nr}`);
const hour = (nr: number): Date => new Date(Date.UTC(2030, 0, 1, nr));

const mostly = <T>(usual: readonly T[], seldom: readonly T[]): fc.Arbitrary<T> =>
  fc.oneof(
    { arbitrary: fc.constantFrom(...usual), weight: 8 },
    { arbitrary: fc.constantFrom(...seldom), weight: 1 },
  );
const emails = (ids: readonly string[]): string[] => ids.map((id) => `${id.at(-1) ?? ''}@x.test`);

const newPatientId = mostly(freePatientIds, patientIds);
const visitId = mostly(visitIds, freeVisitIds);
const newVisitId = mostly(freeVisitIds, visitIds);
const email = mostly(emails(patientIds), emails(freePatientIds));
const newEmail = mostly(emails(freePatientIds), emails(patientIds));
const status = fc.constantFrom('BOOKED', 'CANCELLED', 'COMPLETED');
const practitioner = fc.constantFrom('Dr A', 'Dr B', 'Dr C', 'Dr D');
const period = fc.nat({ max: 60 }).map((nr) => ({ startsAt: hour(nr), endsAt: hour(nr + 1) }));
const name = fc.constantFrom('Ann', 'Bea');

const merged = (...parts: fc.Arbitrary<Args>[]): fc.Arbitrary<Args> =>
  fc.tuple(...parts).map((all) => Object.assign({}, ...all) as Args);
const some = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  fc.array(arbitrary, { minLength: 1, maxLength: 2 });

const slot = merged(fc.record({ id: newVisitId, practitioner, status }), period);
const visitChange = merged(
  fc.record({ status, practitioner, id: newVisitId }, { requiredKeys: ['status'] }),
  fc.option(period, { nil: {} }),
);
const oneVisit = fc.record({ id: visitId });
const person = fc.record({ id: newPatientId, name, email: newEmail });
const patientChange = fc.record(
  { name, email: newEmail, phone: fc.constantFrom('1', '2'), id: newPatientId },
  { requiredKeys: ['name'] },
);
const onePatient = fc.oneof(
  fc.record({ id: mostly(patientIds.slice(0, 2), freePatientIds) }),
  fc.record({ email }),
);

const visitOperations: Record<string, fc.Arbitrary<unknown>> = {
  create: some(slot),
  createMany: fc.record({ data: some(slot), skipDuplicates: fc.boolean() }),
  connect: some(oneVisit),
  connectOrCreate: some(fc.record({ where: oneVisit, create: slot })),
  set: some(oneVisit),
  update: some(fc.record({ where: oneVisit, data: visitChange })),
  upsert: some(fc.record({ where: oneVisit, create: slot, update: visitChange })),
  updateMany: some(
    fc.record({ where: fc.record({ status }, { requiredKeys: [] }), data: fc.record({ status }) }),
  ),
  delete: some(oneVisit),
  deleteMany: some(fc.record({ status })),
};
/** Up to three kinds of operations on the appointments of a patient. */
const visits = fc
  .subarray(Object.keys(visitOperations), { minLength: 1, maxLength: 3 })
  .chain((names) =>
    fc.record(Object.fromEntries(names.map((each) => [each, visitOperations[each] ?? oneVisit]))),
  );
const newVisits = fc.record(
  {
    create: some(slot),
    connect: some(oneVisit),
    connectOrCreate: some(fc.record({ where: oneVisit, create: slot })),
  },
  { requiredKeys: [] },
);
const owner = fc.oneof(
  fc.record({ create: person }),
  fc.record({ connectOrCreate: fc.record({ where: onePatient, create: person }) }),
);
const changedOwner = fc.oneof(
  owner,
  fc.record({ update: patientChange }),
  fc.record({ upsert: fc.record({ create: person, update: patientChange }) }),
);
const below = (appointments: fc.Arbitrary<Args>): fc.Arbitrary<Args> =>
  appointments.map((all) => ({ appointments: all }));
const above = (patient: fc.Arbitrary<Args>): fc.Arbitrary<Args> => patient.map((one) => ({ patient: one }));
const write = (model: Write['model'], action: Write['action'], args: Record<string, fc.Arbitrary<unknown>>) =>
  fc.record({ model: fc.constant(model), action: fc.constant(action), args: fc.record(args) });

const nestedWrite: fc.Arbitrary<Write> = fc.oneof(
  {
    arbitrary: write('patient', 'update', { where: onePatient, data: merged(patientChange, below(visits)) }),
    weight: 6,
  },
  { arbitrary: write('patient', 'create', { data: merged(person, below(newVisits)) }), weight: 2 },
  {
    arbitrary: write('patient', 'upsert', {
      where: onePatient,
      create: merged(person, below(newVisits)),
      update: merged(patientChange, below(visits)),
    }),
    weight: 2,
  },
  { arbitrary: write('appointment', 'create', { data: merged(slot, above(owner)) }), weight: 2 },
  {
    arbitrary: write('appointment', 'update', {
      where: oneVisit,
      data: merged(visitChange, above(changedOwner)),
    }),
    weight: 3,
  },
  {
    arbitrary: write('appointment', 'upsert', {
      where: oneVisit,
      create: merged(slot, above(owner)),
      update: merged(visitChange, above(changedOwner)),
    }),
    weight: 1,
  },
);

const call = async (client: Writer, { model, action, args }: Write): Promise<unknown> =>
  client[model][action]?.(args);

async function settled(attempt: Promise<unknown>): Promise<string> {
  try {
    return JSON.stringify(await attempt, (field, value: unknown) => (field.endsWith('dAt') ? 0 : value));
  } catch (error) {
    const { code = '', message } = error as Error & { code?: string };
    return `${code} ${message.trim().split('\n').at(-1) ?? ''}`;
  }
}

function stored({ events }: Look): Map<string, Look['events'][number][]> {
  const found = new Map<string, Look['events'][number][]>();
  for (const event of events) {
    const aggregate = aggregateOf(event.aggregate_type, event.aggregate_id);
    found.set(aggregate, [...(found.get(aggregate) ?? []), event]);
  }
  return found;
}

/** The events of each aggregate, told and wanted, in the same words. */
const told = (look: Look): unknown =>
  Object.fromEntries(
    [...stored(look)].map(([aggregate, events]) => [
      aggregate,
      events.map(({ event_type, data }) => [event_type, JSON.parse(data) as unknown]),
    ]),
  );
const wanted = (was: Content, is: Content): unknown =>
  Object.fromEntries(
    [...expectedEvents(was, is)].map(([aggregate, events]) => [
      aggregate,
      events.map(({ type, data }) => [type, data]),
    ]),
  );

const population: Write['args'][] = patientIds.slice(0, 3).map((id, nr) => ({
  id,
  name: 'Ann',
  email: `${nr + 1}@x.test`,
  appointments: {
    create: visitIds
      .filter((_, each) => each < 4 && each % 2 === nr)
      .map((visit, each) => ({
        id: visit,
        practitioner: 'Dr A',
        startsAt: hour(2 * nr + 4 * each),
        endsAt: hour(2 * nr + 4 * each + 1),
      })),
  },
}));

async function begin(subject: Subject): Promise<Look> {
  await subject.clear();
  for (const data of population)
    await call(subject.client, { model: 'patient', action: 'create', args: { data } });
  return subject.look();
}

describe('random nested writes', () => {
  let middleware: Subject;
  let trigger: Subject;
  beforeAll(async () => {
    [middleware, trigger] = await Promise.all([openSubject('middleware'), openSubject('trigger')]);
    process.stderr.write(`NESTED_SEED=${seed}, ${runs} rounds\n`);
  });
  afterAll(async () => {
    await Promise.all([middleware.close(), trigger.close()]);
  });
  const check = async (property: fc.IAsyncProperty<[Write[]]>): Promise<void> =>
    fc.assert(property, { seed, numRuns: runs });
  const timeLimit = 120_000 + runs * 5_000;

  it(
    'have the events that the change of the tables means, and show callers what the trigger engine shows',
    async () => {
      let [events, failures] = [0, 0];
      const sequence = fc.array(nestedWrite, { minLength: 1, maxLength: 6, size: 'max' });
      const property = fc.asyncProperty(sequence, async (writes) => {
        let [was] = await Promise.all([begin(middleware), begin(trigger)]);
        for (const each of writes) {
          const seen = await settled(call(middleware.client, each));
          if (seen.includes('whose events capture could not tell')) continue;
          expect(seen).toEqual(await settled(call(trigger.client, each)));
          if (/^(P\d+| )/.test(seen)) failures++;
          const [is, other] = await Promise.all([middleware.look(), trigger.look()]);
          expect([is.patients, is.appointments]).toEqual([other.patients, other.appointments]);
          expect(told(is)).toEqual(wanted(was, is));
          // The trigger engine tells each statement, the middleware the whole write.
          expect(replayProblems(was, other, stored(other))).toEqual([]);
          events += is.events.length;
          was = is;
        }
      });
      await check(property);
      process.stderr.write(`${events} events, ${failures} failures\n`);
      if (runs >= 20) expect(events).toBeGreaterThan(runs);
    },
    timeLimit,
  );

  it(
    'have events that tell what has become of each row, when others of the transaction fail',
    async () => {
      const sequence = fc.array(nestedWrite, { minLength: 2, maxLength: 6, size: 'max' });
      const property = fc.asyncProperty(sequence, async ([first, second, third, ...rest]) => {
        const was = await begin(middleware);
        const alone = async (client: Writer, each: Write | undefined): Promise<unknown> =>
          each && call(client, each).catch(() => undefined);
        await middleware.client
          .$transaction(async (tx: Writer) => {
            await alone(tx, first);
            await Promise.all([alone(tx, second), alone(tx, third)]);
            await tx
              .$transaction(async (nested: Writer) => {
                for (const each of rest) await call(nested, each);
              })
              .catch(() => undefined);
            await tx.patient['updateMany']?.({ data: { phone: '3' } });
          })
          .catch(() => undefined);
        const is = await middleware.look();
        expect(replayProblems(was, is, stored(is))).toEqual([]);
      });
      await check(property);
    },
    timeLimit,
  );
});
