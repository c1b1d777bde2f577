import { defineAggregate, nullable, restricted, text, uuid } from 'signalbox';

/** Patients. Dates of birth and clinical notes are restricted: an event says that they changed, not to what. */
export const patient = defineAggregate({
  type: 'patient',
  model: 'Patient',
  key: 'id',
  version: '1.0',
  fields: {
    id: uuid('patient_id', 'identifier'),
    name: text('name', 'personal'),
    email: text('email', 'personal'),
    phone: nullable(text('phone', 'personal')),
    dateOfBirth: restricted('date_of_birth'),
    clinicalNotes: restricted('clinical_notes'),
  },
  events: {
    'patient.created': { on: 'create', carries: ['id', 'name', 'email', 'phone'] },
    'patient.updated': {
      on: 'update',
      when: { changed: ['name', 'email', 'phone', 'dateOfBirth', 'clinicalNotes'] },
      carries: ['id', 'name', 'email', 'phone'],
      changedFields: true,
    },
    'patient.deleted': { on: 'delete', carries: ['id'] },
  },
});
