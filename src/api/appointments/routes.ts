import type { Appointment, AppointmentStatus } from '../../generated/prisma/client';
import { toPage } from '../http/pagination';
import type { Route } from '../http/routes';
import { parseBody, parseId, parseQuery } from '../http/validate';
import {
  type AppointmentOutput,
  appointmentInput,
  appointmentPatch,
  appointmentQuery,
  noInput,
} from './schemas';
import type { AppointmentService } from './service';

export const appointmentsPath = '/api/v1/appointments';
const one = `${appointmentsPath}/:id`;

/** The operations on appointments. */
export function appointmentRoutes(appointments: AppointmentService): Route[] {
  return [
    {
      method: 'post',
      path: appointmentsPath,
      handle: async (request) => {
        const booked = await appointments.book(parseBody(appointmentInput, request));
        return {
          status: 201,
          body: present(booked),
          headers: { location: `${appointmentsPath}/${booked.id}` },
        };
      },
    },
    {
      method: 'get',
      path: appointmentsPath,
      handle: async (request) => {
        const query = parseQuery(appointmentQuery, request);
        return { status: 200, body: toPage(await appointments.list(query), query.limit, present) };
      },
    },
    {
      method: 'get',
      path: one,
      handle: async (request) => ({ status: 200, body: present(await appointments.get(parseId(request))) }),
    },
    {
      method: 'put',
      path: one,
      handle: async (request) => {
        const changed = await appointments.change(parseId(request), parseBody(appointmentInput, request));
        return { status: 200, body: present(changed) };
      },
    },
    {
      method: 'patch',
      path: one,
      handle: async (request) => {
        const changed = await appointments.change(parseId(request), parseBody(appointmentPatch, request));
        return { status: 200, body: present(changed) };
      },
    },
    {
      method: 'delete',
      path: one,
      handle: async (request) => {
        await appointments.remove(parseId(request));
        return { status: 204 };
      },
    },
    statusRoute(appointments, 'cancel', 'CANCELLED'),
    statusRoute(appointments, 'complete', 'COMPLETED'),
  ];
}

function statusRoute(appointments: AppointmentService, verb: string, target: AppointmentStatus): Route {
  return {
    method: 'post',
    path: `${one}/${verb}`,
    handle: async (request) => {
      const id = parseId(request);
      parseBody(noInput, request);
      return { status: 200, body: present(await appointments.become(id, target)) };
    },
  };
}

function present(row: Appointment): AppointmentOutput {
  return {
    id: row.id,
    patient_id: row.patientId,
    practitioner: row.practitioner,
    starts_at: row.startsAt.toISOString(),
    ends_at: row.endsAt.toISOString(),
    status: row.status,
    reason: row.reason,
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
  };
}
