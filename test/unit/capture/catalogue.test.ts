import { catalogue } from '../../../src/healthcore/catalogue';
import type { PrismaClient } from '../../../src/generated/prisma/client';
import { defineAggregate } from '../../../src/events/aggregate';
import { appointment } from '../../../src/healthcore/events/appointment';
import { date, int, nullable, oneOf, restricted, text, uuid } from '../../../src/events/fields';
import { patient } from '../../../src/healthcore/events/patient';
import {
  capturedModels,
  type FittingCatalogue,
  type ProblemOf,
  watchedFields,
} from '../../../src/outbox/prisma/catalogueFits';

/** Compiles only when the two types are the same. */
const same = <A, B>(equal: [A] extends [B] ? ([B] extends [A] ? true : false) : false): boolean => equal;

const wrong = defineAggregate({
  type: 'patient',
  model: 'Patient',
  key: 'id',
  version: '1.0',
  fields: {
    id: int('id', 'identifier'),
    phone: text('phone', 'personal'),
    name: nullable(text('name', 'personal')),
    nonsense: restricted('nonsense'),
    dateOfBirth: nullable(date('born', 'personal')),
  },
  events: { 'patient.gone': { on: 'delete', carries: ['id'] } },
});

const wrongWords = defineAggregate({
  type: 'appointment',
  model: 'Appointment',
  key: 'id',
  version: '1.0',
  fields: { id: uuid('id', 'identifier'), status: oneOf('status', 'operational', ['BOOKED', 'LOST']) },
  events: {
    'appointment.lost': {
      on: 'update',
      when: { becomes: { field: 'status', value: 'LOST' } },
      carries: ['id'],
    },
  },
});

const noModel = { ...patient, model: 'Nobody' } as const;

describe('the check of the catalogue against the Prisma models', () => {
  it('is satisfied by the shipped catalogue', () => {
    expect(same<FittingCatalogue<PrismaClient, typeof catalogue>, typeof catalogue>(true)).toBe(true);
    expect([...capturedModels(catalogue).keys()]).toEqual(['Patient', 'Appointment']);
  });

  it('says in a sentence what is wrong, when it compiles', () => {
    expect(
      same<
        ProblemOf<PrismaClient, typeof wrong>,
        | 'Patient.id is declared as int, which is not its type in the Prisma model'
        | 'Patient.phone may be null in the Prisma model: wrap it in nullable()'
        | 'Patient.name is never null in the Prisma model: take it out of nullable()'
        | 'Patient.nonsense is in the catalogue and not in the Prisma model'
      >(true),
    ).toBe(true);
    expect(
      same<
        ProblemOf<PrismaClient, typeof wrongWords>,
        | 'Appointment.status lists fewer words than its enum in the Prisma model'
        | 'appointment.lost waits for a value that status never has in the Prisma model'
      >(true),
    ).toBe(true);
    expect(
      same<
        ProblemOf<PrismaClient, typeof noModel>,
        'The catalogue names the model Nobody, which the Prisma schema does not have'
      >(true),
    ).toBe(true);
    expect(same<ProblemOf<PrismaClient, typeof patient>, never>(true)).toBe(true);
    expect(same<ProblemOf<PrismaClient, typeof appointment>, never>(true)).toBe(true);
  });

  it('knows to which fields an aggregate’s events react', () => {
    expect([...watchedFields(appointment)]).toEqual(['startsAt', 'endsAt', 'status', 'reason']);
  });
});
