import type { Patient } from '../../generated/prisma/client';
import { toPage } from '../http/pagination';
import type { Route } from '../http/routes';
import { parseBody, parseId, parseQuery } from '../http/validate';
import { type PatientOutput, patientInput, patientPatch, patientQuery } from './schemas';
import type { PatientService } from './service';

export const patientsPath = '/api/v1/patients';

/** The operations on patients. */
export function patientRoutes(patients: PatientService): Route[] {
  const one = `${patientsPath}/:id`;
  return [
    {
      method: 'post',
      path: patientsPath,
      handle: async (request) => {
        const created = await patients.create(parseBody(patientInput, request));
        return {
          status: 201,
          body: present(created),
          headers: { location: `${patientsPath}/${created.id}` },
        };
      },
    },
    {
      method: 'get',
      path: patientsPath,
      handle: async (request) => {
        const page = parseQuery(patientQuery, request);
        return { status: 200, body: toPage(await patients.list(page), page.limit, present) };
      },
    },
    {
      method: 'get',
      path: one,
      handle: async (request) => ({ status: 200, body: present(await patients.get(parseId(request))) }),
    },
    {
      method: 'put',
      path: one,
      handle: async (request) => {
        const replaced = await patients.update(parseId(request), parseBody(patientInput, request));
        return { status: 200, body: present(replaced) };
      },
    },
    {
      method: 'patch',
      path: one,
      handle: async (request) => {
        const changed = await patients.update(parseId(request), parseBody(patientPatch, request));
        return { status: 200, body: present(changed) };
      },
    },
    {
      method: 'delete',
      path: one,
      handle: async (request) => {
        await patients.remove(parseId(request));
        return { status: 204 };
      },
    },
  ];
}

function present(row: Patient): PatientOutput {
  return {
    id: row.id,
    name: row.name,
    email: row.email,
    phone: row.phone,
    date_of_birth: row.dateOfBirth?.toISOString().slice(0, 10) ?? null,
    clinical_notes: row.clinicalNotes,
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
  };
}
