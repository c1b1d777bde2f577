import { z } from 'zod';
import { canonicalEmail, emailAddress } from '../../healthcore/events/email';
import { line, namesSomething, nothingNamed, prose } from '../http/fields';
import { type Page, pageQuery } from '../http/pagination';
import { uuidSchema } from '../http/validate';

const earliestBirth = '1850-01-01';
/** UTC+14, in milliseconds. */
const firstZoneMs = 14 * 3_600_000;

const name = line(200).meta({ description: 'The name, as the patient writes it' });
const email = z.string().overwrite(canonicalEmail).min(1).pipe(emailAddress).meta({
  type: 'string',
  format: 'email',
  description: 'Unique; kept in lower case, the domain as punycode',
});
const phone = line(40).nullable().meta({ description: 'As written; not checked further' });
const dateOfBirth = z.iso
  .date()
  .refine((day) => day >= earliestBirth && day <= today(), {
    message: `must be a day from ${earliestBirth} until today`,
  })
  .nullable()
  .meta({ description: 'YYYY-MM-DD, not in the future' });
const clinicalNotes = prose(20_000).nullable().meta({ description: 'Never part of an event or a log' });

/** The body of POST and PUT. */
export const patientInput = z
  .strictObject({
    name,
    email,
    phone: phone.default(null),
    date_of_birth: dateOfBirth.default(null),
    clinical_notes: clinicalNotes.default(null),
  })
  .meta({ id: 'PatientInput' });

/** The body of PATCH: only what is named changes, and null empties an optional field. */
export const patientPatch = z
  .strictObject({ name, email, phone, date_of_birth: dateOfBirth, clinical_notes: clinicalNotes })
  .partial()
  .refine(namesSomething, nothingNamed)
  .meta({ id: 'PatientPatch' });

/** A patient as answered. */
export const patientOutput = z
  .object({
    id: uuidSchema,
    name: z.string(),
    email: z.string(),
    phone: z.string().nullable(),
    date_of_birth: z.iso.date().nullable(),
    clinical_notes: z.string().nullable(),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .meta({ id: 'Patient' });

export const patientQuery = z.strictObject(pageQuery);

export type PatientInput = z.output<typeof patientInput>;
export type PatientPatch = z.output<typeof patientPatch>;
export type PatientOutput = z.output<typeof patientOutput>;
export type PatientPage = Page<PatientOutput>;

/** In the time zone where a day begins first: there a child is born today, when UTC still says yesterday. */
function today(): string {
  return new Date(Date.now() + firstZoneMs).toISOString().slice(0, 10);
}
