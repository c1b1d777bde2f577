import type { RouteConfig } from '@asteasolutions/zod-to-openapi';
import { body, bodyProblems, contextHeaders, idParams, json, pageOf, problems } from '../openapi/responses';
import { patientInput, patientOutput, patientPatch, patientQuery } from './schemas';

const list = '/api/v1/patients';
const one = `${list}/{id}`;
const common = { tags: ['Patients'] };

/** What /openapi.json says of the operations on patients. */
export const patientOperations: RouteConfig[] = [
  {
    ...common,
    method: 'post',
    path: list,
    operationId: 'createPatient',
    summary: 'Register a patient (event patient.created)',
    request: { headers: contextHeaders, body: body(patientInput) },
    responses: { 201: json('The new patient', patientOutput), ...bodyProblems(409) },
  },
  {
    ...common,
    method: 'get',
    path: list,
    operationId: 'listPatients',
    summary: 'List patients in the order in which they were registered',
    request: { headers: contextHeaders, query: patientQuery },
    responses: { 200: json('A page of patients', pageOf(patientOutput)), ...problems(400) },
  },
  {
    ...common,
    method: 'get',
    path: one,
    operationId: 'getPatient',
    summary: 'Read a patient',
    request: { headers: contextHeaders, params: idParams },
    responses: { 200: json('The patient', patientOutput), ...problems(400, 404) },
  },
  {
    ...common,
    method: 'put',
    path: one,
    operationId: 'replacePatient',
    summary: 'Replace all fields of a patient (event patient.updated, if anything changes)',
    request: { headers: contextHeaders, params: idParams, body: body(patientInput) },
    responses: { 200: json('The patient', patientOutput), ...bodyProblems(404, 409) },
  },
  {
    ...common,
    method: 'patch',
    path: one,
    operationId: 'changePatient',
    summary: 'Change some fields of a patient (event patient.updated, if anything changes)',
    request: { headers: contextHeaders, params: idParams, body: body(patientPatch) },
    responses: { 200: json('The patient', patientOutput), ...bodyProblems(404, 409) },
  },
  {
    ...common,
    method: 'delete',
    path: one,
    operationId: 'deletePatient',
    summary: 'Delete a patient who has no appointments (event patient.deleted)',
    request: { headers: contextHeaders, params: idParams },
    responses: { 204: { description: 'Deleted' }, ...problems(400, 404, 409) },
  },
];
