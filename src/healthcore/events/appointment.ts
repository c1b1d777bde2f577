import { datetime, defineAggregate, oneOf, restricted, text, uuid } from 'signalbox';

/** Appointments. The reason of a visit is clinical: an event says that it changed, not to what. */
export const appointment = defineAggregate({
  type: 'appointment',
  model: 'Appointment',
  key: 'id',
  version: '1.0',
  fields: {
    id: uuid('appointment_id', 'identifier'),
    patientId: uuid('patient_id', 'identifier'),
    practitioner: text('practitioner', 'operational'),
    startsAt: datetime('starts_at', 'operational'),
    endsAt: datetime('ends_at', 'operational'),
    status: oneOf('status', 'operational', ['BOOKED', 'CANCELLED', 'COMPLETED']),
    reason: restricted('reason'),
  },
  events: {
    'appointment.booked': {
      on: 'create',
      carries: ['id', 'patientId', 'practitioner', 'startsAt', 'endsAt', 'status'],
    },
    'appointment.rescheduled': {
      on: 'update',
      when: { changed: ['startsAt', 'endsAt'] },
      carries: ['id', 'patientId', 'practitioner', 'startsAt', 'endsAt', 'status'],
      previous: ['startsAt', 'endsAt'],
    },
    'appointment.cancelled': {
      on: 'update',
      when: { becomes: { field: 'status', value: 'CANCELLED' } },
      carries: ['id', 'patientId', 'status'],
      previous: ['status'],
    },
    'appointment.completed': {
      on: 'update',
      when: { becomes: { field: 'status', value: 'COMPLETED' } },
      carries: ['id', 'patientId', 'status'],
      previous: ['status'],
    },
    'appointment.updated': {
      on: 'update',
      when: { changed: ['reason'] },
      carries: ['id', 'patientId', 'status'],
      changedFields: true,
    },
    'appointment.deleted': { on: 'delete', carries: ['id', 'patientId', 'status'] },
  },
});
