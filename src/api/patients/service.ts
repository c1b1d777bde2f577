import type { Patient } from '../../generated/prisma/client';
import type { Database } from '../database';
import { defined } from '../defined';
import { type PageRequest, pageArguments } from '../http/pagination';
import { DomainError } from '../problems/domainError';
import type { PatientInput, PatientPatch } from './schemas';

/*
 * Patients. Rules live in the database where it can keep them (a unique e-mail address, no deletion while there are
 * appointments): problems/databaseErrors.ts gives its refusals their meaning. Events follow from the writes.
 */
export class PatientService {
  constructor(private readonly database: Database) {}

  async create(input: PatientInput): Promise<Patient> {
    return this.database.patient.create({ data: toRow(input) });
  }

  /** Patients in the order in which they were created; at most one row more than the page holds. */
  async list(page: PageRequest): Promise<Patient[]> {
    return this.database.patient.findMany(pageArguments(page, {}));
  }

  async get(id: string): Promise<Patient> {
    const found = await this.database.patient.findUnique({ where: { id } });
    if (!found) throw new DomainError('not-found', 'There is no patient with this id.');
    return found;
  }

  /** Sets the fields that `input` has and leaves the others. */
  async update(id: string, input: PatientInput | PatientPatch): Promise<Patient> {
    return this.database.patient.update({ where: { id }, data: toRow(input) });
  }

  async remove(id: string): Promise<void> {
    await this.database.patient.delete({ where: { id } });
  }
}

/** From the wire's names to the model's; a field that is absent stays absent. */
function toRow<T extends PatientPatch>({ date_of_birth, clinical_notes, ...same }: T) {
  return defined({
    ...same,
    dateOfBirth: date_of_birth && new Date(date_of_birth),
    clinicalNotes: clinical_notes,
  });
}
