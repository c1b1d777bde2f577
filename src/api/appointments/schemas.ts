import { z } from 'zod';
import { instant, line, namesSomething, nothingNamed, prose } from '../http/fields';
import { pageQuery } from '../http/pagination';
import { uuidSchema } from '../http/validate';
import { statuses } from './transitions';

const patientId = uuidSchema.toLowerCase();
const practitioner = line(200).meta({ description: 'Who sees the patient' });
const startsAt = instant.meta({ description: 'ISO 8601 with an offset' });
const endsAt = instant.meta({ description: 'After starts_at; another appointment may begin at this moment' });
const reason = prose(2_000).nullable().meta({ description: 'Never part of an event or a log' });

/** Runs beside the checks of the single fields, so that all problems are told at once. */
const endsAfterStart = {
  message: 'must be after starts_at',
  path: ['ends_at'],
  when: ({ value }: { value: unknown }) => {
    const { starts_at, ends_at } = (value ?? {}) as Record<string, unknown>;
    return starts_at instanceof Date && ends_at instanceof Date;
  },
};
const inOrder = ({ starts_at, ends_at }: { starts_at: Date; ends_at: Date }) => ends_at > starts_at;

/** The body of POST and PUT. */
export const appointmentInput = z
  .strictObject({
    patient_id: patientId,
    practitioner,
    starts_at: startsAt,
    ends_at: endsAt,
    reason: reason.default(null),
  })
  .refine(inOrder, endsAfterStart)
  .meta({ id: 'AppointmentInput' });

/** The body of PATCH: only what is named changes. Patient and practitioner may be named but not changed. */
export const appointmentPatch = z
  .strictObject({ patient_id: patientId, practitioner, starts_at: startsAt, ends_at: endsAt, reason })
  .partial()
  .refine(namesSomething, nothingNamed)
  .meta({ id: 'AppointmentPatch' });

/** An appointment as answered. */
export const appointmentOutput = z
  .object({
    id: uuidSchema,
    patient_id: uuidSchema,
    practitioner: z.string(),
    starts_at: z.iso.datetime(),
    ends_at: z.iso.datetime(),
    status: z.enum(statuses),
    reason: z.string().nullable(),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .meta({ id: 'Appointment' });

export const appointmentQuery = z.strictObject({
  ...pageQuery,
  patient_id: patientId.optional(),
  practitioner: practitioner.optional(),
  status: z.enum(statuses).optional(),
  from: instant.optional().meta({ description: 'Those that start at this time or later' }),
  to: instant.optional().meta({ description: 'Those that start before this time' }),
});

/** Cancelling and completing say nothing but who: an empty body, or an empty object. */
export const noInput = z.strictObject({}).optional();

export type AppointmentInput = z.output<typeof appointmentInput>;
export type AppointmentPatch = z.output<typeof appointmentPatch>;
export type AppointmentOutput = z.output<typeof appointmentOutput>;
export type AppointmentQuery = z.output<typeof appointmentQuery>;
