import type { RouteConfig } from '@asteasolutions/zod-to-openapi';
import { body, bodyProblems, contextHeaders, idParams, json, pageOf, problems } from '../openapi/responses';
import { appointmentInput, appointmentOutput, appointmentPatch, appointmentQuery } from './schemas';

const list = '/api/v1/appointments';
const one = `${list}/{id}`;
const common = { tags: ['Appointments'] };

/** What /openapi.json says of the operations on appointments. */
export const appointmentOperations: RouteConfig[] = [
  {
    ...common,
    method: 'post',
    path: list,
    operationId: 'bookAppointment',
    summary: 'Book an appointment (event appointment.booked); 409 when the practitioner is busy',
    request: { headers: contextHeaders, body: body(appointmentInput) },
    responses: { 201: json('The new appointment', appointmentOutput), ...bodyProblems(409) },
  },
  {
    ...common,
    method: 'get',
    path: list,
    operationId: 'listAppointments',
    summary: 'List appointments in the order in which they were booked',
    request: { headers: contextHeaders, query: appointmentQuery },
    responses: { 200: json('A page of appointments', pageOf(appointmentOutput)), ...problems(400) },
  },
  {
    ...common,
    method: 'get',
    path: one,
    operationId: 'getAppointment',
    summary: 'Read an appointment',
    request: { headers: contextHeaders, params: idParams },
    responses: { 200: json('The appointment', appointmentOutput), ...problems(400, 404) },
  },
  ...(['put', 'patch'] as const).map((method): RouteConfig => ({
    ...common,
    method,
    path: one,
    operationId: method === 'put' ? 'replaceAppointment' : 'changeAppointment',
    summary:
      'Move an appointment (event appointment.rescheduled) or change its reason (event appointment.updated). ' +
      'Patient and practitioner stay: cancel and book another',
    request: {
      headers: contextHeaders,
      params: idParams,
      body: body(method === 'put' ? appointmentInput : appointmentPatch),
    },
    responses: { 200: json('The appointment', appointmentOutput), ...bodyProblems(404, 409) },
  })),
  {
    ...common,
    method: 'delete',
    path: one,
    operationId: 'deleteAppointment',
    summary: 'Delete an appointment (event appointment.deleted)',
    request: { headers: contextHeaders, params: idParams },
    responses: { 204: { description: 'Deleted' }, ...problems(400, 404) },
  },
  {
    ...common,
    method: 'post',
    path: `${one}/cancel`,
    operationId: 'cancelAppointment',
    summary: 'Cancel a booked appointment (event appointment.cancelled); again, it changes nothing',
    request: { headers: contextHeaders, params: idParams },
    responses: { 200: json('The cancelled appointment', appointmentOutput), ...bodyProblems(404, 409) },
  },
  {
    ...common,
    method: 'post',
    path: `${one}/complete`,
    operationId: 'completeAppointment',
    summary: 'Complete a booked appointment (event appointment.completed); again, it changes nothing',
    request: { headers: contextHeaders, params: idParams },
    responses: { 200: json('The completed appointment', appointmentOutput), ...bodyProblems(404, 409) },
  },
];
